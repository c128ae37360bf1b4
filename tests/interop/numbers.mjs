// The daemon's numbers of design.md section 7, measured against posthorn-sim in another process:
//   node tests/interop/numbers.mjs [messages]
// Release build; the throttle's gap is off. CPU is the daemon's own (user + system).
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, statSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'

import { Daemon, sleep } from './lib/daemon.mjs'
import { findProgram, Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const count = Number(process.argv[2] ?? 2000)
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

const rows = []
const row = (what, value, target) => { rows.push([what, value, target]); console.log(`${what.padEnd(58)} ${value.padEnd(16)} ${target}`) }

const memory = pid => {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(text)[1]) / 1024
}
const cpu = pid => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticks
}

function post(box, agent, chatId, message) {
  const body = JSON.stringify({ chatId, message })
  return new Promise((resolve, reject) => {
    const out = request(`${box.url}/waInstance${box.id}/sendMessage/${box.token}`, {
      agent, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    }, answer => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode))
    })
    out.on('error', reject)
    out.end(body)
  })
}

async function metric(box, name) {
  const text = await (await fetch(`${box.url}/metrics`)).text()
  return Number(new RegExp(`^posthorn_${name.replace(/[{}"]/g, '\\$&')} (.*)$`, 'm').exec(text)?.[1] ?? 0)
}

const program = findProgram('POSTHORN_DAEMON', 'firmware/daemon/posthornd')
const sim = await Simulator.start({ runFor: 900 })
const box = await new Daemon(sim).start()
const stripped = join(box.folder, 'stripped')
copyFileSync(program, stripped)
execFileSync('strip', [stripped])
row('posthornd stripped (this machine)', `${(statSync(stripped).size / 2 ** 20).toFixed(2)} MiB`, 'arm64 <= 3 MiB')

await box.link(sim)
await sleep(15_000) // prekeys uploaded, queries of the login done
row('resident memory, linked and idle', `${memory(box.process.pid).toFixed(1)} MiB`, '<= 12 MiB')

await box.stop()
const began = process.hrtime.bigint()
await box.start()
await waitFor(() => box.online(), 'online')
row('process start to authorized', `${(Number(process.hrtime.bigint() - began) / 1e6).toFixed(0)} ms`, '<= 150 ms')

// Sending: to a customer with two devices.
const customer = await sim.addAccount({ name: 'Two devices', companions: 1, script: {} })
const chat = `${customer.phone}@c.us`
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
await post(box, agent, chat, 'first')
await sleep(1000)
let before = cpu(box.process.pid)
const sentBefore = await metric(box, 'jobs_total{fate="sent"}')
for (let i = 0; i < count; ) {
  const wave = Array.from({ length: Math.min(20, count - i) }, (_, k) => post(box, agent, chat, `receipt ${i + k}`))
  i += wave.length
  for (const status of await Promise.all(wave)) if (status === 429) i--
  await sleep(350) // Green-API's 50 a second
}
await waitFor(async () => (await metric(box, 'jobs_total{fate="sent"}')) >= sentBefore + count, 'all sent', 300_000)
row(`CPU per 1000 messages sent (2 devices, POST and receipts included)`, `${((cpu(box.process.pid) - before) / count * 1000).toFixed(3)} s`, '<= 0.15 s')

before = cpu(box.process.pid)
const receivedBefore = await metric(box, 'messages_received_total')
for (let i = 0; i < count; i += 50) {
  await Promise.all(Array.from({ length: 50 }, (_, k) => sim.send(customer.phone, { to: box.phone, text: `answer ${i + k}` })))
}
await waitFor(async () => (await metric(box, 'messages_received_total')) >= receivedBefore + count, 'all received', 300_000)
await sleep(500)
row('CPU per 1000 messages received', `${((cpu(box.process.pid) - before) / count * 1000).toFixed(3)} s`, '<= 0.05 s')
row(`resident memory after ${2 * count} messages`, `${memory(box.process.pid).toFixed(1)} MiB`, '<= 16 MiB after 10,000')

await box.dispose()
await sim.stop()
process.exit(0)
