#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A queue between two threads that holds no more than a few values: who is faster waits.
public final class Channel<Value: Sendable>: @unchecked Sendable {
  // Both stay where they are as long as this lives; all else is touched only with the lock held.
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var values: [Value] = []
  private var isClosed = false
  private let capacity: Int

  /// An empty queue.
  public init(capacity: Int) {
    self.capacity = capacity
    pthread_mutex_init(lock, nil)
    pthread_cond_init(change, nil)
  }

  deinit {
    pthread_cond_destroy(change)
    pthread_mutex_destroy(lock)
    change.deallocate()
    lock.deallocate()
  }

  /// Hands over a value; waits while the queue is full.
  public func send(_ value: Value) {
    locked {
      while values.count >= capacity, !isClosed { pthread_cond_wait(change, lock) }
      values.append(value)
    }
  }

  /// The oldest value; waits for one, and is `nil` once the queue is closed and empty.
  public func receive() -> Value? {
    locked {
      while values.isEmpty, !isClosed { pthread_cond_wait(change, lock) }
      return values.isEmpty ? nil : values.removeFirst()
    }
  }

  /// The oldest value if there is one.
  public func receiveIfThere() -> Value? { locked { values.isEmpty ? nil : values.removeFirst() } }

  /// Says that no more values come, or that nobody wants any: who waits goes on.
  public func close() { locked { isClosed = true } }

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(lock)
    defer {
      pthread_cond_broadcast(change)
      pthread_mutex_unlock(lock)
    }
    return body()
  }
}
