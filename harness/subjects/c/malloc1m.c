/* A subject in plain C that needs no network: it allocates 1 MiB at `client` and gives it back at `drop`, and nothing else. Whoever measures
   it must find exactly that. stdio would allocate buffers, so it does without. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *line) {
    size_t length = strlen(line);
    if (write(STDOUT_FILENO, line, length) != (ssize_t)length) _exit(1);
}

/* The next line without its end; 0 at the end of the input. */
static int hear(char *line, size_t size) {
    size_t length = 0;
    while (length + 1 < size && read(STDIN_FILENO, line + length, 1) == 1) {
        if (line[length] == '\n') {
            line[length] = 0;
            return 1;
        }
        length++;
    }
    return 0;
}

int main(void) {
    char line[4096];
    void *volatile block = NULL;
    say("plimsoll 1 subject=malloc1m allocator=system profile=release build=1\n");
    while (hear(line, sizeof line)) {
        if (!strcmp(line, "exit")) return 0;
        if (!strcmp(line, "client")) {
            block = malloc(1 << 20);
            if (!block) {
                say("error other no memory for 1 MiB\n");
                continue;
            }
            memset(block, 1, 1 << 20); /* touched, so that it is resident */
        } else if (!strcmp(line, "drop")) {
            free(block);
            block = NULL;
        } else if (!strncmp(line, "chat ", 5) || !strncmp(line, "stream ", 7)) {
            /* As many empty answers as it was asked for. */
            char *number = strchr(line, ' ') + 1;
            number[strcspn(number, " ")] = 0;
            say("ok answered=");
            say(number);
            say(" crc=0\n");
            continue;
        } else if (strcmp(line, "runtime") && strcmp(line, "idle")) {
            say("unsupported this subject speaks version 1 of the protocol\n");
            continue;
        }
        say("ok\n");
    }
    return 0;
}
