// What the kernel counts for a process, and work to measure: used by numbers.mjs and peers.mjs.
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'

import { sleep } from './daemon.mjs'

export const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/** Resident memory in MiB: all of it, its own pages, pages of files, and the highest that it was. */
export function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = name => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1])
  return { all: kib('VmRSS') / 1024, own: kib('RssAnon') / 1024, files: kib('RssFile') / 1024, peak: kib('VmHWM') / 1024 }
}

/** CPU of all threads that live, user and system, in seconds. */
export function cpu(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`)
  return tasks.reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e9
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

function post(box, chatId, message) {
  const body = JSON.stringify({ chatId, message })
  return new Promise((resolve, reject) => {
    const out = request(`${box.url}/waInstance${box.id}/sendMessage/${box.token}`, {
      agent, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    }, answer => {
      let text = ''
      answer.on('data', piece => { text += piece })
      answer.on('end', () => answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode} ${text}`)))
    })
    // A daemon that died says why in its log; "connection refused" alone would not.
    out.on('error', error => reject(new Error(`${error.message}\n${box.log.slice(-3000)}`)))
    out.end(body)
  })
}

/** Posts `count` messages from `clients` at once; gives the rate per second. */
export async function postAll(box, chatId, count, clients, text) {
  const began = process.hrtime.bigint()
  let next = 0
  await Promise.all(Array.from({ length: clients }, async () => {
    while (next < count) await post(box, chatId, text(next++))
  }))
  return count / (Number(process.hrtime.bigint() - began) / 1e9)
}

async function metric(box, name) {
  const text = await box.metrics()
  return Number(new RegExp(`^posthorn_${name.replace(/[{}"]/g, '\\$&')} (.*)$`, 'm').exec(text)?.[1] ?? 0)
}

/** CPU seconds per 1,000 of what `work` does `count` times, until `name` counts them all. */
async function cpuPer1000(box, name, count, work) {
  const target = (await metric(box, name)) + count
  const before = cpu(box.process.pid)
  await work()
  // Seldom: each look costs the daemon as much as a message.
  for (const end = Date.now() + 300_000; (await metric(box, name)) < target; await sleep(500)) {
    if (Date.now() > end) throw new Error(`less than ${count} of ${name} in 300 s\n${box.log.slice(-3000)}`)
  }
  await sleep(500) // receipts of the last ones
  return (cpu(box.process.pid) - before) / count * 1000
}

let serial = 0 // no text twice: the throttle takes a repeat for a double post

/** The box sends `count` texts, posted by eight clients: CPU seconds per 1,000. */
export const sent = (box, customer, count) => cpuPer1000(box, 'jobs_total{fate="sent"}', count,
  () => postAll(box, `${customer.phone}@c.us`, count, 8, () => `receipt ${serial++}`))

/** The box receives `count` texts: CPU seconds per 1,000. */
export const received = (box, sim, customer, count) => cpuPer1000(box, 'messages_received_total', count,
  () => answers(sim, customer, box.phone, count))

/** The scripted customer writes `count` texts. */
export async function answers(sim, customer, phone, count) {
  for (let i = 0; i < count; i += 500) {
    await sim.send(customer.phone, { to: phone, text: 'answer %d', count: Math.min(500, count - i) })
  }
}
