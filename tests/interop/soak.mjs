// What a text costs the card: bytes written for each text sent, after some thousand of them.
//   tests/interop/soak [TEXTS [CUSTOMERS]]     on a file system of its own, as its device counts them (root)
//   tests/interop/run --plain soak.mjs [TEXTS [CUSTOMERS]]     what the kernel counts for the process alone
// The texts are posted by eight clients and go to customers in turn; each is delivered and read. The inbox is
// emptied by a till that deletes each notification, as a shop's does. Pace and rate limits are off.
import { readFileSync } from 'node:fs'

import { Daemon, sleep } from './lib/daemon.mjs'
import { cpu, memory, postAll } from './lib/measure.mjs'
import { Simulator } from './lib/simulator.mjs'

const texts = Number(process.argv[2] ?? 4000)
const many = Number(process.argv[3] ?? 20)
const device = process.env.POSTHORN_DEVICE // of the file system in TMPDIR: loop7
const rounds = 4

/** Bytes written: by the process (into the page cache, or directly), at the device; and its flushes. */
function written(pid) {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8')
  const found = { process: Number(/^write_bytes: (\d+)/m.exec(io)[1]) }
  if (device) {
    const stat = readFileSync(`/sys/block/${device}/stat`, 'utf8').trim().split(/\s+/).map(Number)
    found.device = stat[6] * 512
    found.flushes = stat[15]
  }
  return found
}

const sent = async box => Number(/^posthorn_jobs_total\{fate="sent"\} (.*)$/m.exec(await box.metrics())?.[1] ?? 0)

let stop = false
/** A till that takes the notifications out, one after the other. */
async function till(box) {
  while (!stop) if (await box.next(1) === null) await sleep(50)
}

const sim = await Simulator.start({ runFor: 1800 })
const box = await (await new Daemon(sim).start()).link(sim)
const customers = []
for (let i = 0; i < many; i++) customers.push(await sim.addAccount({ name: `Customer ${i}`, script: {} }))
const taking = till(box)
let serial = 0
for (let round = 0; round <= rounds; round++) {
  const count = round === 0 ? 10 * many : texts / rounds // the first makes the sessions
  const goal = await sent(box) + count
  const [before, cpuBefore] = [written(box.process.pid), cpu(box.process.pid)]
  for (let done = 0; done < count; done += 10) {
    const to = customers[(done / 10) % many]
    await postAll(box, `${to.phone}@c.us`, Math.min(10, count - done), 8, () => `text ${serial++}`)
  }
  for (const end = Date.now() + 120_000; await sent(box) < goal; await sleep(300)) {
    if (Date.now() > end) throw new Error('texts are not sent')
  }
  await sleep(36_000) // what waits for the half minute is written, and what the system holds back
  const after = written(box.process.pid)
  const per = key => ((after[key] - before[key]) / count / 1000).toFixed(2)
  console.log(`round ${round}, ${count} texts: ${per('process')} kB by the process` +
    (device ? `, ${per('device')} kB and ${((after.flushes - before.flushes) / count).toFixed(2)} flushes at the device` : '') +
    ` per text; ${((cpu(box.process.pid) - cpuBefore) / count * 1000).toFixed(3)} s CPU per 1000, ${memory(box.process.pid).all.toFixed(1)} MiB`)
}
stop = true
await taking
await box.dispose()
await sim.stop()
process.exit(0)
