/* A subject whose memory is known: at `client` it takes a mebibyte and 1,000 blocks of 100 bytes, gives 30 blocks of 200 bytes back, and maps
 * a file of seven pages (its first argument), reads all of them and writes to two. It answers nothing, without network. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES 7

static void say(const char *line) {
    fputs(line, stdout);
    fflush(stdout);
}

static int client(const char *path) {
    long page = sysconf(_SC_PAGESIZE);
    char *block = malloc(1 << 20), *kept[30];
    int file = open(path, O_RDONLY);
    char *data = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (!block || file < 0 || data == MAP_FAILED) return 0;
    memset(block, 1, 1 << 20);
    for (int i = 0; i < 1000; i++) memset(malloc(100), 1, 100);
    for (int i = 0; i < 30; i++) memset(kept[i] = malloc(200), 1, 200);
    for (int i = 0; i < 30; i++) free(kept[i]);
    volatile char sum = 0;
    for (int i = 0; i < PAGES; i++) sum += data[i * page];
    data[0] = data[page] = sum;
    return 1;
}

int main(int argc, char **argv) {
    char line[4096];
    say("plimsoll 1 subject=known allocator=system profile=release build=1\n");
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (!strcmp(line, "exit")) return 0;
        if (!strcmp(line, "client") && !(argc > 1 && client(argv[1]))) {
            say("error other no memory, or no file to map\n");
            continue;
        }
        say("ok\n");
    }
    return 0;
}
