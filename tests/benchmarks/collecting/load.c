// Clients that each send the same request again and again, with message ids nobody had before, and time the answers.
// usage: load PORT CLIENTS SECONDS FILE SEED; every run of 16 `@` in the file becomes a new id.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 4096, PLACES = 4096, SAMPLES = 1 << 22, WIDTH = 16 };

static char *template;
static size_t length, places[PLACES], place_count;
static unsigned long long next_id;
static float samples[SAMPLES];
static size_t sample_count;

typedef struct {
    int fd;
    char *out;
    size_t sent, got;
    double began;
    char in[1024];
} client;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void push(client *c) {
    while (c->sent < length) {
        ssize_t n = write(c->fd, c->out + c->sent, length - c->sent);
        if (n <= 0) return;
        c->sent += n;
    }
}

static void begin(client *c) {
    char id[WIDTH + 1];
    for (size_t i = 0; i < place_count; i++) {
        snprintf(id, sizeof id, "%016llx", next_id++);
        memcpy(c->out + places[i], id, WIDTH);
    }
    c->sent = c->got = 0;
    c->began = now();
    push(c);
}

static int order(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    int port = atoi(argv[1]), wanted = atoi(argv[2]), poll = epoll_create1(0), one = 1;
    double seconds = atof(argv[3]);
    FILE *file = fopen(argv[4], "rb");
    next_id = strtoull(argv[5], NULL, 10) << 40;
    fseek(file, 0, SEEK_END);
    length = ftell(file);
    rewind(file);
    template = malloc(length);
    if (fread(template, 1, length, file) != length) return 2;
    for (size_t i = 0; i + WIDTH <= length && place_count < PLACES; i++)
        if (!memcmp(template + i, "@@@@@@@@@@@@@@@@", WIDTH)) places[place_count++] = i, i += WIDTH - 1;
    client *clients = calloc(CLIENTS, sizeof *clients);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < wanted; i++) {
        client *c = &clients[i];
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c->fd, (struct sockaddr *)&where, sizeof where)) { perror("connect"); return 1; }
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        c->out = malloc(length);
        memcpy(c->out, template, length);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &e);
    }
    double start = now(), end = start + seconds;
    size_t done = 0, other = 0;
    for (int i = 0; i < wanted; i++) begin(&clients[i]);
    for (double at = start; at < end; at = now()) {
        struct epoll_event ready[256];
        int count = epoll_wait(poll, ready, 256, 100);
        for (int i = 0; i < count; i++) {
            client *c = ready[i].data.ptr;
            ssize_t n = read(c->fd, c->in + c->got, sizeof c->in - 1 - c->got);
            if (n <= 0) { fprintf(stderr, "the server closed a connection\n"); return 1; }
            c->got += n;
            c->in[c->got] = 0;
            char *head = strstr(c->in, "\r\n\r\n"), *size = strcasestr(c->in, "content-length:");
            if (!head || !size || c->got < (size_t)(head + 4 - c->in) + strtoul(size + 15, NULL, 10)) continue;
            if (strncmp(c->in + 9, "200", 3)) other++; else done++;
            if (sample_count < SAMPLES) samples[sample_count++] = now() - c->began;
            begin(c);
        }
    }
    double took = now() - start;
    qsort(samples, sample_count, sizeof *samples, order);
    printf("{\"requests\": %zu, \"refused\": %zu, \"seconds\": %.3f, \"p50_ms\": %.2f, \"p99_ms\": %.2f}\n", done, other, took,
           1e3 * samples[sample_count / 2], 1e3 * samples[sample_count * 99 / 100]);
}
