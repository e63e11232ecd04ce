import Testing

@testable import MimoThreads

@Suite struct ChannelTests {
  @Test(arguments: [1, 3, 100])
  func `values come in order, however few the queue holds`(capacity: Int) throws {
    let channel = Channel<Int>(capacity: capacity)
    let thread = try #require(
      WorkerThread.start {
        for value in 0..<10_000 { channel.send(value) }
        channel.close()
      })
    var received: [Int] = []
    while let value = channel.receive() { received.append(value) }
    thread.join()
    #expect(received == Array(0..<10_000))
  }

  @Test func `who asks without waiting gets what is there`() {
    let channel = Channel<Int>(capacity: 2)
    #expect(channel.receiveIfThere() == nil)
    channel.send(1)
    #expect(channel.receiveIfThere() == 1)
    #expect(channel.receiveIfThere() == nil)
  }

  @Test func `who waits for a full queue goes on when nobody wants its values any more`() throws {
    let channel = Channel<Int>(capacity: 1)
    channel.send(1)
    let thread = try #require(WorkerThread.start { channel.send(2) })
    channel.close()
    thread.join()
    #expect(channel.receive() == 1)
  }
}
