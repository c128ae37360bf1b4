// The box under test: starts posthornd on loopback against a simulator, speaks Green-API to it.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

import { findProgram } from './simulator.mjs'
import { waitFor } from './wait.mjs'

export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

export class Daemon {
  // sim: a Simulator. options: {unpaced: true, throttle: 'gap_any_ms = 500', api: 'https_port = 0', quiet: ['21:00', '08:00'], led: true,
  // update: 'rauc-uboot'} (update: of the board that led makes)
  constructor(sim, options = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'posthorn-'))
    this.config = join(this.folder, 'posthorn.toml')
    const unpaced = options.unpaced ?? true
    if (options.led) this.makeBoard(options.update ?? 'none')
    const [quietFrom, quietTo] = options.quiet ?? ['00:00', '00:00']
    writeFileSync(this.config, `data_dir = "${this.folder}/data"
[whatsapp]
url = "${sim.url}"
noise_root_key = "${sim.rootKey}"
media_insecure_hosts = ["127.0.0.1"]
[api]
listen = "127.0.0.1"
port = 0
${options.api ?? ''}
[throttle]
quiet_from = "${quietFrom}"
quiet_to = "${quietTo}"
${unpaced ? 'unpaced_for_benchmarks = true' : ''}
${options.throttle ?? ''}
${options.led ? `[board]\ndata = "${this.folder}/board"\nsysfs = "${this.folder}/sys"\ndevice_tree = "${this.folder}/compatible"` : ''}
[log]
level = "${process.env.POSTHORN_LOG ?? 'info'}"
${options.toml ?? ''}
`)
    this.log = ''
  }

  // A board with one LED: files where the kernel would have them.
  makeBoard(update) {
    this.ledFolder = join(this.folder, 'sys/class/leds/shop')
    mkdirSync(this.ledFolder, { recursive: true })
    mkdirSync(join(this.folder, 'board'))
    writeFileSync(join(this.folder, 'compatible'), 'posthorn,test\0')
    writeFileSync(join(this.folder, 'board/test.toml'), 'name = "Test"\ncompatible = ["posthorn,test"]\nleds = ["shop"]\nupdate = "' + update + '"\n')
    for (const file of ['trigger', 'brightness', 'pattern']) writeFileSync(join(this.ledFolder, file), '')
  }

  // What the LED does: "steady 1", or the kernel's pattern.
  led() {
    const read = name => readFileSync(join(this.ledFolder, name), 'utf8').trim()
    return read('trigger') === 'pattern' ? read('pattern') : `steady ${read('brightness')}`
  }

  async start() {
    this.process = spawn(findProgram('POSTHORN_DAEMON', 'firmware/daemon/posthornd'), ['--config', this.config], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stderr.on('data', (piece) => {
      this.log = (this.log + piece).slice(-200_000)
      if (this.awaited && this.log.includes(this.awaited.text)) {
        this.awaited.done(process.hrtime.bigint())
        this.awaited = null
      }
    })
    this.exited = once(this.process, 'exit')
    const lines = createInterface({ input: this.process.stdout })
    const first = await Promise.race([
      once(lines, 'line').then(([line]) => JSON.parse(line)),
      this.exited.then(([code]) => { throw new Error(`posthornd ended with ${code}:\n${this.log}`) })
    ])
    this.url = first.url
    const access = JSON.parse(readFileSync(join(this.folder, 'data/access.json'), 'utf8'))
    this.id = access.idInstance
    this.token = access.apiTokenInstance
    this.care = access.careToken
    return this
  }

  // The time (process.hrtime) at which `text` next comes in the log.
  nextLog(text) {
    this.log = ''
    return new Promise((done) => { this.awaited = { text, done } })
  }

  // A power switch: no goodbye.
  async kill() {
    this.process.kill('SIGKILL')
    await this.exited
  }

  async stop() {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return
    const stopping = this.process
    stopping.kill('SIGTERM')
    // The alarm ends with the wait: left running it would kill the daemon that was started next.
    let alarm
    const late = new Promise(resolve => {
      alarm = setTimeout(() => { stopping.kill('SIGKILL'); resolve(['did not stop']) }, 10_000)
    })
    const [code] = await Promise.race([this.exited, late])
    clearTimeout(alarm)
    if (code !== 0) throw new Error(`posthornd ended with ${code}:\n${this.log.slice(-4000)}`)
  }

  async dispose() {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  // One Green-API call; a GET without a body. Gives the parsed answer or throws with status and text.
  async call(method, body, { verb = body === undefined ? 'GET' : 'POST', query = '', tail = '', headers = {}, token = this.token } = {}) {
    const url = `${this.url}/waInstance${this.id}/${method}/${token}${tail}${query ? '?' + query : ''}`
    const answer = await fetch(url, {
      method: verb,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body)
    })
    const text = await answer.text()
    if (answer.status === 429) {
      await sleep(1000)
      return this.call(method, body, { verb, query, tail, headers, token })
    }
    if (answer.status !== 200) throw Object.assign(new Error(`${method}: ${answer.status} ${text}`), { status: answer.status, text })
    return text === '' ? null : JSON.parse(text)
  }

  // A multipart form as a till posts it: fields, then the file. Gives the parsed answer.
  async form(method, fields, bytes, name, type) {
    const form = new FormData()
    for (const [key, value] of Object.entries(fields)) form.set(key, value)
    form.set('file', new Blob([bytes], { type }), name)
    const answer = await fetch(`${this.url}/waInstance${this.id}/${method}/${this.token}`, { method: 'POST', body: form })
    const text = await answer.text()
    if (answer.status !== 200) throw Object.assign(new Error(`${method}: ${answer.status} ${text}`), { status: answer.status })
    return JSON.parse(text)
  }

  // The shop's counters, as Prometheus asks for them.
  async metrics() {
    return (await fetch(`${this.url}/metrics`, { headers: { authorization: `Bearer ${this.token}` } })).text()
  }

  state() { return this.call('getStateInstance').then((answer) => answer.stateInstance) }

  send(chatId, message, more = {}, headers = {}) {
    return this.call('sendMessage', { chatId, message, ...more }, { headers }).then((answer) => answer.idMessage)
  }

  // What posthornctl prints, asked about this box.
  async ctl(...words) {
    const program = findProgram('POSTHORNCTL', 'firmware/ctl/posthornctl')
    return (await promisify(execFile)(program, ['--url', this.url, '--id', String(this.id), '--token', this.token, ...words])).stdout
  }

  // Takes the next notification out of the inbox; null when none came in time.
  async next(seconds = 5) {
    const got = await this.call('receiveNotification', undefined, { query: `receiveTimeout=${seconds}` })
    if (got === null) return null
    await this.call('deleteNotification', undefined, { verb: 'DELETE', tail: `/${got.receiptId}` })
    return got.body
  }

  // Takes notifications until one pleases `want`; the others are kept in `this.seen`.
  async nextWhere(what, want, ms = 30_000) {
    const end = Date.now() + ms
    while (Date.now() < end) {
      const body = await this.next(5)
      if (!body) continue
      if (want(body)) return body
      ;(this.seen ??= []).push(body)
    }
    const others = (this.seen ?? []).slice(-6).map(body => JSON.stringify(body)).join('\n')
    throw new Error(`no notification in ${ms} ms: ${what}; the last others:\n${others}\n${this.log.slice(-3000)}`)
  }

  // The raw text of the QR code, as a phone's camera would read it.
  qrText() {
    return waitFor(async () => {
      const answer = await this.call('qr')
      return answer.type === 'qrCode' ? answer.qrText : null
    }, 'a QR code')
  }

  authorized(within = 20_000) {
    return waitFor(async () => (await this.state()) === 'authorized' && (await this.online()), 'the box is authorized', within)
  }

  async online() {
    const answer = await fetch(`${this.url}/healthz`)
    return (await answer.json()).link === 'online'
  }

  // Links by the QR code to `account` (a new one without) and waits until it is in.
  async link(sim, account) {
    this.phone = (await sim.scan(await this.qrText(), account)).phone
    await this.authorized()
    return this
  }
}
