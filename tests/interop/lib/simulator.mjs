// Starts posthorn-sim and speaks to its control interface.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** A program of ours: the one named by `variable`, else the newest under build/. */
export function findProgram(variable, path) {
  if (process.env[variable]) return process.env[variable]
  const build = join(root, 'build')
  const found = existsSync(build)
    ? readdirSync(build)
        .filter(name => !name.startsWith('arm')) // boards' programs
        .map(name => join(build, name, path))
        .filter(existsSync)
        .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    : []
  if (found.length === 0) throw new Error(`${path} is not built, and ${variable} is not set`)
  return found[0]
}

/** A child that prints one JSON line when it is ready; it is killed when the test ends. */
export async function startProgram(program, args, { name = program, stdio } = {}) {
  const child = spawn(program, args, { stdio: stdio ?? ['ignore', 'pipe', 'pipe'] })
  const errors = []
  child.stderr?.on('data', data => {
    errors.push(data.toString())
    if (process.env.POSTHORN_VERBOSE) process.stderr.write(`[${name}] ${data}`)
  })
  const lines = createInterface({ input: child.stdout })
  const hello = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} said nothing in 20 s`)), 20_000)
    lines.once('line', line => {
      clearTimeout(timer)
      resolve(JSON.parse(line))
    })
    child.once('exit', code => {
      clearTimeout(timer)
      reject(new Error(`${name} ended with ${code}: ${errors.join('')}`))
    })
  })
  const exited = new Promise(resolve => child.once('exit', (code, signal) => resolve({ code, signal })))
  return { child, hello, exited, errors }
}

/** The simulator, with the control verbs as methods. */
export class Simulator {
  static async start({ args = [], runFor = 600 } = {}) {
    const program = findProgram('POSTHORN_SIM', 'firmware/simulator/posthorn-sim')
    const started = await startProgram(program, ['--run-for', String(runFor), ...args], {
      name: 'posthorn-sim'
    })
    return new Simulator(started)
  }

  constructor({ child, hello, exited, errors }) {
    Object.assign(this, { child, exited, errors })
    this.url = hello.url
    this.control = hello.control
    this.cloud = hello.cloud // with --cloud
    this.rootKey = hello.noise_root_key
  }

  async stop() {
    if (this.child.exitCode === null) this.child.kill('SIGTERM')
    return this.exited
  }

  async request(method, path, body) {
    const response = await fetch(this.control + path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body)
    })
    const answer = await response.json()
    if (!response.ok) {
      throw Object.assign(new Error(`${method} ${path}: ${response.status} ${answer.error}`), {
        status: response.status
      })
    }
    return answer
  }

  addAccount(wish = {}) {
    return this.request('POST', '/v1/accounts', wish)
  }
  account(phone) {
    return this.request('GET', `/v1/accounts/${phone}`)
  }
  change(phone, what) {
    return this.request('PATCH', `/v1/accounts/${phone}`, what)
  }
  scan(qr, account) {
    return this.request('POST', '/v1/scan', { qr, account })
  }
  linkCode(account, code) {
    return this.request('POST', '/v1/link-code', { account, code })
  }
  send(peer, message) {
    return this.request('POST', `/v1/peers/${peer}/send`, message)
  }
  sendFile(peer, file) {
    return this.request('POST', `/v1/peers/${peer}/send-file`, file)
  }
  media(verb, more = {}) {
    return this.request('POST', '/v1/media', { verb, ...more })
  }
  do(peer, verb, more = {}) {
    return this.request('POST', `/v1/peers/${peer}/do`, { verb, ...more })
  }
  fault(rule) {
    return this.request('POST', '/v1/faults', rule)
  }
  clearFaults() {
    return this.request('DELETE', '/v1/faults')
  }
  drop(device) {
    return this.request('POST', `/v1/devices/${device}/drop`)
  }
  expect(match, { count = 1, within = 10_000, after = 0 } = {}) {
    return this.request('POST', '/v1/expect', { match, count, within_ms: within, after })
  }
  async violations() {
    return (await this.request('GET', '/v1/violations')).violations
  }
  async journal(query = {}) {
    const answer = await this.request('GET', `/v1/journal?${new URLSearchParams(query)}`)
    return answer.entries
  }

  /** The first message in a virtual account's inbox that `wanted` accepts. */
  async received(phone, wanted, within = 15_000) {
    const end = Date.now() + within
    let after = 0
    while (Date.now() < end) {
      const wait = Math.max(1, Math.min(2000, end - Date.now()))
      const { messages } = await this.request('GET', `/v1/peers/${phone}/inbox?after=${after}&wait=${wait}`)
      const found = messages.find(wanted)
      if (found) return found
      if (messages.length > 0) after = messages.at(-1).sequence
    }
    throw new Error(`${phone} did not receive it within ${within} ms`)
  }
}
