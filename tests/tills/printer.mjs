// A printer of ours: takes what comes, answers status requests, and misbehaves when it is told to.
import { once } from 'node:events'
import { createServer } from 'node:net'

export class Paper {
  // options: {answer: Buffer for DLE EOT, bytesPerSecond, cutAt: connection is dropped after so many bytes}
  static async start(options = {}) {
    const paper = new Paper()
    Object.assign(paper, { options, bytes: Buffer.alloc(0), arrived: [], sockets: new Set(), connections: 0 })
    paper.server = createServer(socket => paper.take(socket))
    paper.server.listen(0, '127.0.0.1')
    await once(paper.server, 'listening')
    paper.port = paper.server.address().port
    return paper
  }

  take(socket) {
    this.connections++
    this.sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => this.sockets.delete(socket))
    socket.on('data', data => {
      this.bytes = Buffer.concat([this.bytes, data])
      this.arrived.push([process.hrtime.bigint(), data.length])
      // A request may come in pieces.
      const recent = Buffer.concat([socket.before ?? Buffer.alloc(0), data])
      let done = 0
      for (let at = recent.indexOf('\x10\x04', 0, 'latin1'); at >= 0 && at + 2 < recent.length; at = recent.indexOf('\x10\x04', at + 3, 'latin1')) {
        socket.write(this.options.answer ?? Buffer.from([recent[at + 2] === 1 ? 0x16 : 0x12]))
        done = at + 3
      }
      socket.before = recent.subarray(Math.max(done, recent.length - 2))
      const { cutAt, bytesPerSecond } = this.options
      if (cutAt !== undefined && this.bytes.length >= cutAt) socket.resetAndDestroy()
      if (bytesPerSecond) {
        socket.pause()
        setTimeout(() => socket.resume(), (data.length * 1000) / bytesPerSecond)
      }
    })
  }

  // What was printed since the last call, once nothing has come for a moment.
  async printed(least = 1, within = 8000) {
    const end = Date.now() + within
    let size = -1
    while (Date.now() < end && (this.bytes.length < least || this.bytes.length !== size)) {
      size = this.bytes.length
      await new Promise(resolve => setTimeout(resolve, 150))
    }
    const out = this.bytes
    this.bytes = Buffer.alloc(0)
    return out
  }

  async stop() {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
    await once(this.server, 'close')
  }
}
