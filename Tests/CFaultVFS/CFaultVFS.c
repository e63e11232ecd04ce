#include "CFaultVFS.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local long counted;
static _Thread_local long failing;
static _Thread_local enum fault_kind failing_kind;
static _Thread_local int last_error;

typedef struct {
  sqlite3_file base;
  sqlite3_file *inner;
} fault_file;

static sqlite3_vfs *system_vfs;
static sqlite3_vfs fault_vfs;

void fault_vfs_arm(long number, enum fault_kind kind) {
  counted = 0;
  failing = number;
  failing_kind = kind;
  last_error = 0;
}

long fault_vfs_count(void) { return counted; }

// Whether the operation that comes now is to fail.
static int fails(void) {
  counted++;
  int now = failing != 0 && (counted == failing || (failing_kind == FAULT_DEAD && counted > failing));
  if (now) last_error = failing_kind == FAULT_DISK_FULL ? ENOSPC : failing_kind == FAULT_SHORT ? EINTR : EIO;
  return now;
}

#define INNER(file) (((fault_file *)(file))->inner)
#define METHODS(file) (INNER(file)->pMethods)

static int f_close(sqlite3_file *file) {
  int result = METHODS(file)->xClose(INNER(file));
  free(INNER(file));
  return result;
}

static int f_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
  return METHODS(file)->xRead(INNER(file), bytes, count, offset);
}

static int f_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
  if (fails()) {
    if (failing_kind == FAULT_SHORT) METHODS(file)->xWrite(INNER(file), bytes, count / 2, offset);
    return failing_kind == FAULT_DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }
  return METHODS(file)->xWrite(INNER(file), bytes, count, offset);
}

static int f_truncate(sqlite3_file *file, sqlite3_int64 size) {
  if (fails()) return SQLITE_IOERR_TRUNCATE;
  return METHODS(file)->xTruncate(INNER(file), size);
}

static int f_sync(sqlite3_file *file, int flags) {
  // A process that dies takes nothing with it that was written: the disk itself need not be waited for.
  return fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int f_size(sqlite3_file *file, sqlite3_int64 *size) { return METHODS(file)->xFileSize(INNER(file), size); }
static int f_lock(sqlite3_file *file, int level) { return METHODS(file)->xLock(INNER(file), level); }
static int f_unlock(sqlite3_file *file, int level) { return METHODS(file)->xUnlock(INNER(file), level); }

static int f_check_reserved(sqlite3_file *file, int *answer) {
  return METHODS(file)->xCheckReservedLock(INNER(file), answer);
}

static int f_control(sqlite3_file *file, int operation, void *argument) {
  return METHODS(file)->xFileControl(INNER(file), operation, argument);
}

static int f_sector_size(sqlite3_file *file) { return METHODS(file)->xSectorSize(INNER(file)); }
static int f_characteristics(sqlite3_file *file) { return METHODS(file)->xDeviceCharacteristics(INNER(file)); }

static int f_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **memory) {
  if (extend && fails()) return SQLITE_IOERR_SHMMAP;
  return METHODS(file)->xShmMap(INNER(file), region, size, extend, memory);
}

static int f_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
  return METHODS(file)->xShmLock(INNER(file), offset, count, flags);
}

static void f_shm_barrier(sqlite3_file *file) { METHODS(file)->xShmBarrier(INNER(file)); }
static int f_shm_unmap(sqlite3_file *file, int delete) { return METHODS(file)->xShmUnmap(INNER(file), delete); }

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_check_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector_size,
    .xDeviceCharacteristics = f_characteristics,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *opened) {
  fault_file *wrapped = (fault_file *)file;
  wrapped->base.pMethods = NULL;
  if ((flags & SQLITE_OPEN_CREATE) && fails()) return SQLITE_CANTOPEN;
  wrapped->inner = calloc(1, system_vfs->szOsFile);
  if (!wrapped->inner) return SQLITE_NOMEM;
  int result = system_vfs->xOpen(system_vfs, name, wrapped->inner, flags, opened);
  if (result != SQLITE_OK || !wrapped->inner->pMethods) {
    if (wrapped->inner->pMethods) wrapped->inner->pMethods->xClose(wrapped->inner);
    free(wrapped->inner);
    return result;
  }
  wrapped->base.pMethods = &methods;
  return SQLITE_OK;
}

static int v_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  if (fails()) return SQLITE_IOERR_DELETE;
  return system_vfs->xDelete(system_vfs, name, sync);
}

static int v_last_error(sqlite3_vfs *vfs, int count, char *text) {
  return last_error ? last_error : system_vfs->xGetLastError(system_vfs, count, text);
}

void fault_vfs_register(void) {
  if (system_vfs) return;
  sqlite3_vfs *found = sqlite3_vfs_find(NULL);
  // All that is not here is the system's: its functions do not ask whose they are.
  fault_vfs = *found;
  fault_vfs.zName = "fault";
  fault_vfs.szOsFile = sizeof(fault_file);
  fault_vfs.pNext = NULL;
  fault_vfs.xOpen = v_open;
  fault_vfs.xDelete = v_delete;
  fault_vfs.xGetLastError = v_last_error;
  system_vfs = found;
  sqlite3_vfs_register(&fault_vfs, 0);
}
