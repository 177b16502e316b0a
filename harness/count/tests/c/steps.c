/* Does one step per line of its input and stands still in between, so that the test can read the counters.
   Uses no stdio: its buffers would be counted. Each answer is the usable size that the step left live. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *early;
static void before_constructors(void) { early = malloc(12345); }
__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = before_constructors;

static void *held;

static size_t usable(void) { return held ? malloc_usable_size(held) : 0; }

static void *churn(void *unused) {
    for (int i = 0; i < 10000; i++) {
        void *volatile block = malloc(100);
        free(block);
    }
    return unused;
}

static void answer(size_t number) {
    char text[32];
    size_t at = sizeof text;
    text[--at] = '\n';
    do text[--at] = (char)('0' + number % 10); while (number /= 10);
    if (write(1, text + at, sizeof text - at) < 0) _exit(1);
}

static int read_line(char *line, size_t size) {
    size_t length = 0;
    while (length + 1 < size && read(0, line + length, 1) == 1) {
        if (line[length] == '\n') { line[length] = 0; return 1; }
        length++;
    }
    return 0;
}

int main(int argc, char **argv) {
    char line[64];
    (void)argc;
    answer(malloc_usable_size(early));
    while (read_line(line, sizeof line)) {
        size_t left = 0;
        if (!strcmp(line, "malloc")) { held = malloc(1 << 20); left = usable(); }
        else if (!strcmp(line, "calloc")) { held = calloc(7, 1000); left = usable(); }
        else if (!strcmp(line, "grow")) { held = realloc(held, 3000000); left = usable(); }
        else if (!strcmp(line, "realloc null")) { held = realloc(NULL, 500); left = usable(); }
        else if (!strcmp(line, "realloc zero")) { held = realloc(held, 0); left = usable(); }
        else if (!strcmp(line, "reallocarray")) { held = reallocarray(held, 30, 10); left = usable(); }
        else if (!strcmp(line, "free")) { free(held); held = NULL; free(NULL); }
        else if (!strcmp(line, "posix_memalign")) { if (posix_memalign(&held, 4096, 10000)) return 2; left = usable(); }
        else if (!strcmp(line, "aligned_alloc")) { held = aligned_alloc(64, 640); left = usable(); }
        else if (!strcmp(line, "memalign")) { held = memalign(256, 333); left = usable(); }
        else if (!strcmp(line, "valloc")) { held = valloc(100); if ((uintptr_t)held % 4096) return 2; left = usable(); }
        else if (!strcmp(line, "pvalloc")) { held = pvalloc(100); if (usable() < 4096) return 2; left = usable(); }
        else if (!strcmp(line, "strdup")) { held = strdup("nine chr"); left = usable(); }
        else if (!strcmp(line, "failures")) {
            volatile size_t huge = (size_t)-1 / 4;
            void *block = NULL;
            if (malloc(huge) || calloc(huge, 16) || reallocarray(NULL, huge, 16) || aligned_alloc(3, 9)) return 2;
            if (posix_memalign(&block, 3, 9) == 0 || posix_memalign(&block, 64, huge) == 0 || pvalloc((size_t)-1)) return 2;
            held = malloc(10);
            if (realloc(held, huge)) return 2;
            left = usable();
        }
        else if (!strcmp(line, "threads")) {
            pthread_t threads[8];
            for (int i = 0; i < 8; i++) if (pthread_create(&threads[i], NULL, churn, NULL)) return 2;
            for (int i = 0; i < 8; i++) if (pthread_join(threads[i], NULL)) return 2;
        }
        else if (!strcmp(line, "churn")) churn(NULL);
        else if (!strcmp(line, "fork")) {
            pid_t child = fork();
            if (child == 0) { free(held); void *volatile block = malloc(1000); _exit(block == NULL); }
            int status;
            if (waitpid(child, &status, 0) != child || status) return 2;
            left = (size_t)child;
        }
        else if (!strcmp(line, "exec")) execv("/proc/self/exe", argv);
        else return 3;
        answer(left);
    }
    return 0;
}
