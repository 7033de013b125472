// What the machine can do: epoll, read a request, append its body to a file, one fdatasync for all that came, then answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CLIENTS = 4096, BUFFER = 1 << 20, EVENTS = 512 };

typedef struct {
    char *data;
    size_t used;
} client;

static client clients[CLIENTS];
static const char OK[] = "HTTP/1.1 200 OK\r\ncontent-length: 16\r\ncontent-type: application/json\r\n\r\n{\"success\":true}";

static int listening(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&where, sizeof where) || listen(fd, 4096)) { perror("bind"); exit(1); }
    return fd;
}

static void forget(int fd) {
    close(fd);
    clients[fd].used = 0;
}

// The body of the first whole request in the buffer, or NULL; `size` is the body's, `whole` the request's.
static char *request(client *c, size_t *size, size_t *whole) {
    c->data[c->used] = 0;
    char *end = strstr(c->data, "\r\n\r\n"), *length = strcasestr(c->data, "content-length:");
    if (!end || !length || length > end) return NULL;
    *size = strtoul(length + 15, NULL, 10);
    *whole = end + 4 - c->data + *size;
    return c->used >= *whole ? end + 4 : NULL;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int server = listening(atoi(argv[1])), poll = epoll_create1(0), one = 1, waiting[EVENTS];
    int log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0640);
    struct epoll_event added = {.events = EPOLLIN, .data.fd = server}, ready[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, server, &added);
    for (;;) {
        int count = epoll_wait(poll, ready, EVENTS, -1), asked = 0;
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            if (fd == server) {
                for (int new; (new = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                    if (new >= CLIENTS) { close(new); continue; }
                    setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    if (!clients[new].data) clients[new].data = malloc(BUFFER + 1);
                    clients[new].used = 0;
                    added = (struct epoll_event){.events = EPOLLIN, .data.fd = new};
                    epoll_ctl(poll, EPOLL_CTL_ADD, new, &added);
                }
                continue;
            }
            client *c = &clients[fd];
            ssize_t got = read(fd, c->data + c->used, BUFFER - c->used);
            if (got <= 0) { if (got == 0 || errno != EAGAIN) forget(fd); continue; }
            c->used += got;
            size_t size, whole;
            char *body = request(c, &size, &whole);
            if (!body) continue;
            struct iovec parts[2] = {{body, size}, {"\n", 1}};
            if (writev(log, parts, 2) != (ssize_t)size + 1) { perror("write"); return 1; }
            memmove(c->data, c->data + whole, c->used -= whole);
            waiting[asked++] = fd;
        }
        if (!asked) continue;
        if (fdatasync(log)) { perror("fdatasync"); return 1; }
        for (int i = 0; i < asked; i++)
            if (write(waiting[i], OK, sizeof OK - 1) < 0) forget(waiting[i]);
    }
}
