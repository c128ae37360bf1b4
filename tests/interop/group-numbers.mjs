// What one text to a large group costs the box, first and second message:
//   tests/interop/run --plain group-numbers.mjs [members] [devices]
// Release build; the throttle's pace is off. Time: from the POST to the status "sent". CPU is the daemon's own.
import { Daemon } from './lib/daemon.mjs'
import { cpu, memory } from './lib/measure.mjs'
import { Simulator } from './lib/simulator.mjs'

const members = Number(process.argv[2] ?? 1024)
const devices = Number(process.argv[3] ?? 2)

const sim = await Simulator.start({ runFor: 1800 })
const box = await new Daemon(sim).start()
try {
  await box.link(sim)
  const phones = []
  for (let i = 1; i < members; i++) phones.push((await sim.addAccount({ companions: devices - 1 })).phone)
  const { jid } = await sim.request('POST', '/v1/groups', { creator: phones[0], members: [...phones.slice(1), box.phone] })
  const pid = box.process.pid
  console.log(`a group of ${members} with ${devices} devices each; memory before: ${memory(pid).all.toFixed(1)} MiB`)
  for (const which of ['first', 'second', 'third']) {
    const before = cpu(pid)
    const began = process.hrtime.bigint()
    const id = await box.send(jid, `the ${which} message`)
    await box.nextWhere('sent', b => b.idMessage === id && b.status === 'sent', 600_000)
    const seconds = Number(process.hrtime.bigint() - began) / 1e9
    console.log(`${which}: ${seconds.toFixed(2)} s, CPU ${(cpu(pid) - before).toFixed(3)} s, memory ${memory(pid).all.toFixed(1)} MiB, highest ${memory(pid).peak.toFixed(1)} MiB`)
  }
} finally {
  await box.dispose()
  await sim.stop()
}
