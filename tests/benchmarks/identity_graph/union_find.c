/* The floor: union-find over an open-addressing hash table of 64-bit ids. Compiled when the benchmark runs. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct { int64_t node; uint32_t index; uint32_t is_used; } Slot;

static Slot *slots;
static uint64_t mask;
static int64_t *nodes;
static uint32_t *parents, count, room;

static uint64_t place_of(int64_t node) {
    uint64_t mixed = (uint64_t)node * 0x9E3779B97F4A7C15ULL;
    return (mixed ^ (mixed >> 32)) & mask;
}

static void grow(void) {
    uint64_t old_size = slots ? mask + 1 : 0, size = old_size ? old_size * 2 : 1 << 16;
    Slot *old = slots;
    slots = calloc(size, sizeof(Slot));
    mask = size - 1;
    for (uint64_t i = 0; i < old_size; i++) {
        if (!old[i].is_used) continue;
        uint64_t at = place_of(old[i].node);
        while (slots[at].is_used) at = (at + 1) & mask;
        slots[at] = old[i];
    }
    free(old);
    room = size / 8 * 5;
    nodes = realloc(nodes, room * sizeof(int64_t));
    parents = realloc(parents, room * sizeof(uint32_t));
}

static uint32_t index_of(int64_t node) {
    uint64_t at = place_of(node);
    while (slots[at].is_used) {
        if (slots[at].node == node) return slots[at].index;
        at = (at + 1) & mask;
    }
    if (count == room) {
        grow();
        return index_of(node);
    }
    slots[at] = (Slot){node, count, 1};
    nodes[count] = node;
    parents[count] = count;
    return count++;
}

static uint32_t root_of(uint32_t at) {
    while (parents[at] != at) at = parents[at] = parents[parents[at]];
    return at;
}

/* Joins the ends of `links` pairs; returns how many distinct nodes there are. */
uint32_t join_all(const int64_t *left, const int64_t *right, uint64_t links) {
    grow();
    for (uint64_t i = 0; i < links; i++) {
        uint32_t one = root_of(index_of(left[i])), other = root_of(index_of(right[i]));
        if (one == other) continue;
        if (nodes[one] < nodes[other]) parents[other] = one;
        else parents[one] = other;
    }
    return count;
}

/* Writes every node and the smallest node of its group. */
void write_groups(int64_t *node_ids, int64_t *component_ids) {
    memcpy(node_ids, nodes, count * sizeof(int64_t));
    for (uint32_t i = 0; i < count; i++) component_ids[i] = nodes[root_of(i)];
}
