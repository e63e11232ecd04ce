#include <sqlite3.h>

#ifdef __linux__
#include <sys/vfs.h>
#else
#include <sys/mount.h>
#include <sys/param.h>
#endif

// Whether other machines may have the file system of `path` open too, where no memory can be shared with them: WAL does
// not work there (https://www.sqlite.org/wal.html, "Disadvantages", read 2026-11-22). 0 if it cannot be told.
// Numbers: statfs(2), and include/uapi/linux/magic.h of Linux.
static inline int csqlite_is_on_network(const char *path) {
  struct statfs about;
  if (statfs(path, &about) != 0) return 0;
#ifdef __linux__
  switch ((unsigned long)about.f_type & 0xffffffffUL) {
  case 0x6969:      // NFS
  case 0xff534d42:  // CIFS
  case 0xfe534d42:  // SMB2
  case 0x517b:      // SMB
  case 0x65735546:  // FUSE: sshfs and its like; also virtiofs
  case 0x01021997:  // 9P
  case 0x00c36400:  // Ceph
  case 0x5346414f:  // AFS
  case 0x6b414653:  // AFS of the kernel
  case 0x73757245:  // Coda
  case 0x01161970:  // GFS2
  case 0x7461636f:  // OCFS2
  case 0x0bd00bd0:  // Lustre
  case 0x786f4256:  // shared folders of VirtualBox
  case 0xbacbacbc:  // and of VMware
    return 1;
  default:
    return 0;
  }
#else
  return (about.f_flags & MNT_LOCAL) == 0;
#endif
}
