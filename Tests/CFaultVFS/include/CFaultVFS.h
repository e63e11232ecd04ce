#ifndef C_FAULT_VFS_H
#define C_FAULT_VFS_H

/// A layer below SQLite that hands everything on to the system's and fails when told to.
///
/// What is counted and told is the thread's own, so that tests can run beside each other.

/// What becomes of an operation that fails.
enum fault_kind {
  /// The disk is full.
  FAULT_DISK_FULL,
  /// The disk does not answer.
  FAULT_IO_ERROR,
  /// A write is cut off in the middle, as by a signal; other operations fail.
  FAULT_SHORT,
  /// The process is gone: this operation and all later ones do nothing.
  FAULT_DEAD,
};

/// Makes the layer known to SQLite as "fault". Once is enough.
void fault_vfs_register(void);

/// Starts counting the operations that change something, and lets the one with this number fail; none if it is 0.
void fault_vfs_arm(long number, enum fault_kind kind);

/// How many were counted since then.
long fault_vfs_count(void);

#endif
