#include "io/avio_fd.h"

#include <errno.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cs/base/mem.h"

enum { BUFFER_BYTES = 256 * 1024 };

struct file {
    int fd;
    int64_t position;
    int64_t bytes_max;
};

static int file_read(void *opaque, uint8_t *buffer, int size) {
    struct file *file = opaque;
    ssize_t got = 0;
    do {
        got = pread(file->fd, buffer, (size_t)size, file->position);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return AVERROR(errno);
    }
    file->position += got;
    return got == 0 ? AVERROR_EOF : (int)got;
}

static int file_write(void *opaque, uint8_t *buffer, int size) {
    struct file *file = opaque;
    if (file->position + size > file->bytes_max) {
        return AVERROR(EFBIG);
    }
    for (int done = 0; done < size;) {
        ssize_t put = pwrite(file->fd, buffer + done, (size_t)(size - done), file->position);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return AVERROR(put < 0 ? errno : EIO);
        }
        done += (int)put;
        file->position += put;
    }
    return size;
}

static int64_t file_seek(void *opaque, int64_t offset, int whence) {
    struct file *file = opaque;
    struct stat facts;
    if (fstat(file->fd, &facts) != 0) {
        return AVERROR(errno);
    }
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE) {
        return facts.st_size;
    }
    int64_t base = whence == SEEK_CUR ? file->position : whence == SEEK_END ? facts.st_size : 0;
    int64_t target = 0;
    if (__builtin_add_overflow(base, offset, &target) || target < 0) {
        return AVERROR(EINVAL);
    }
    file->position = target;
    return target;
}

static AVIOContext *make(int fd, int writable, int64_t bytes_max) {
    struct file *file = cs_alloc(sizeof(*file));
    file->fd = fd;
    file->bytes_max = bytes_max;
    uint8_t *buffer = av_malloc(BUFFER_BYTES);
    AVIOContext *io = buffer == NULL
                          ? NULL
                          : avio_alloc_context(buffer, BUFFER_BYTES, writable, file, writable ? NULL : file_read,
                                               writable ? file_write : NULL, file_seek);
    if (io == NULL) {
        av_free(buffer);
        free(file);
    }
    return io;
}

AVIOContext *med_avio_reader(int fd) {
    return make(fd, 0, 0);
}

AVIOContext *med_avio_writer(int fd, int64_t bytes_max) {
    return make(fd, 1, bytes_max);
}

void med_avio_free(AVIOContext **io) {
    if (*io != NULL) {
        free((*io)->opaque);
        av_freep(&(*io)->buffer);
        avio_context_free(io);
    }
}
