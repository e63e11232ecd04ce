#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Whether to tell the processor's time of this thread instead of the clock's, for machines that are busy otherwise.
private let tellsProcessorTime = getenv("MIMO_BENCH_CPU") != nil

/// How long some work takes, in seconds.
func seconds(_ work: () -> Void) -> Double {
  let start = now()
  work()
  return now() - start
}

private func now() -> Double {
  var time = timespec()
  clock_gettime(tellsProcessorTime ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Seconds as milliseconds with two decimals.
func milliseconds(_ seconds: Double) -> Double { (seconds * 100_000).rounded() / 100 }

/// The median of nine runs, in milliseconds.
func median(_ work: () -> Void) -> Double {
  milliseconds((0..<9).map { _ in seconds(work) }.sorted()[4])
}
