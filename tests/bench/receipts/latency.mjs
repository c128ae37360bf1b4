// What the box adds between till and printer, line by line, and beside it the same without the box:
//   toolchains/with-node node tests/bench/receipts/latency.mjs [LINES]
// POSTHORN_SIM, POSTHORN_DAEMON: programs to take. Status 1 when more than 5 ms are added at p99.
import { connect } from 'node:net'

import { Daemon } from '../../interop/lib/daemon.mjs'
import { Simulator } from '../../interop/lib/simulator.mjs'
import { Paper } from '../../tills/printer.mjs'

const lines = Number(process.argv[2] ?? 2000)
const sim = await Simulator.start({ runFor: 300 })
const paper = await Paper.start()
const box = await new Daemon(sim, {
  toml: `[printer.plain]\nlisten = 0\nforward = "127.0.0.1:${paper.port}"\n[printer.qr]\nlisten = 0\nqr = "native"\nforward = "127.0.0.1:${paper.port}"\n`
}).start()
const ports = Object.fromEntries((await box.call('getReceiptPrinters')).map(one => [one.printer, one.port]))

async function measure(name, port) {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  await new Promise(resolve => socket.once('connect', resolve))
  const waits = []
  for (let i = 0; i < lines; i++) {
    paper.arrived = []
    const begun = process.hrtime.bigint()
    socket.write(`Line ${i} of a long receipt\n`)
    while (paper.arrived.length === 0) await new Promise(setImmediate)
    waits.push(Number(paper.arrived[0][0] - begun) / 1e6)
    paper.bytes = Buffer.alloc(0)
  }
  socket.destroy()
  waits.sort((a, b) => a - b)
  const at = share => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))]
  console.log(`${name.padEnd(28)} median ${at(0.5).toFixed(3)} ms, p99 ${at(0.99).toFixed(3)} ms, most ${at(1).toFixed(3)} ms`)
  return at(0.99)
}

const straight = await measure('straight to the printer', paper.port)
const through = await measure('through the box', ports.plain)
const inserting = await measure('through the box, with QR', ports.qr)
await box.dispose()
await paper.stop()
await sim.stop()
const added = Math.max(through, inserting) - straight
console.log(`added at p99: ${added.toFixed(3)} ms (bar: 5 ms)`)
process.exit(added <= 5 ? 0 : 1)
