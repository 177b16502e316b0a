/* Allocates the way programs do, as much as its argument says, so that two counters can be compared. Deterministic. */
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 0;
    unsigned seed = 1;
    void *held[64] = {0};
    for (long i = 0; i < rounds; i++) {
        seed = seed * 1103515245u + 12345u;
        unsigned at = seed >> 16 & 63;
        size_t size = 1 + (seed >> 8 & 0xfff);
        switch (seed >> 24 & 3) {
        case 0: free(held[at]); held[at] = malloc(size); break;
        case 1: free(held[at]); held[at] = calloc(size, 3); break;
        case 2: held[at] = realloc(held[at], size); break;
        case 3: free(held[at]); if (posix_memalign(&held[at], 64, size)) return 1; break;
        }
        if (!held[at]) return 1;
        memset(held[at], 1, 1);
    }
    for (int at = 0; at < 64; at++) free(held[at]);
    return 0;
}
