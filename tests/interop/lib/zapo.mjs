// A zapo client against a stand-in: linked by QR or code, with what it hears kept for tests.
import { WebSocket } from 'ws'
import { ConsoleLogger, createStore, WaClient } from 'zapo-js'

import { waitFor } from './wait.mjs'

/** Everything in memory; zapo wants the credentials' store from outside. */
function memoryStore() {
  let credentials = null
  const auth = {
    load: async () => credentials,
    save: async changed => {
      credentials = changed
    },
    clear: async () => {
      credentials = null
    }
  }
  const own = ['signal', 'preKey', 'session', 'identity', 'senderKey', 'appState', 'messages', 'contacts', 'privacyToken']
  return createStore({
    backends: { here: { stores: { auth: () => auth }, caches: {} } },
    providers: { auth: 'here', ...Object.fromEntries(own.map(what => [what, 'memory'])) }
  })
}

// zapo takes the runtime's WebSocket, which Node 20 does not have.
globalThis.WebSocket ??= WebSocket

let nextSession = 1

export class ZapoClient {
  /**
   * Connects and links to `account` (phone digits; undefined: a new one) of the simulator. zapo 0.3.0
   * keeps sessions under phone numbers and does not follow a move to LIDs, so the account counts as
   * not migrated unless `lid` is true.
   */
  static async link(simulator, account, { link = 'qr', name = 'zapo', lid = false } = {}) {
    const client = new ZapoClient(simulator, account, link, name)
    await client.connect()
    // A client that could not link must not keep the test's process alive.
    await client.opened().catch(async error => {
      await client.stop()
      throw error
    })
    await simulator.change(client.phone, { lid_migrated: lid })
    return client
  }

  constructor(simulator, account, link, name) {
    Object.assign(this, { simulator, account, link, name })
    this.messages = []
    this.receipts = []
    this.connections = []
    this.errors = []
    this.open = false
    this.client = new WaClient(
      {
        store: memoryStore(),
        sessionId: `interop-${nextSession++}`,
        chatSocketUrls: [simulator.url],
        connectTimeoutMs: 15_000,
        nodeQueryTimeoutMs: 15_000,
        history: { enabled: false },
        testHooks: {
          noiseRootCa: { publicKey: new Uint8Array(Buffer.from(simulator.rootKey, 'hex')), serial: 0 }
        }
      },
      new ConsoleLogger(process.env.POSTHORN_VERBOSE ? 'debug' : 'error')
    )
    this.client.on('auth_qr', ({ qr }) => this.onQr(qr))
    this.client.on('auth_paired', ({ credentials }) => (this.credentials = credentials))
    this.client.on('connection', event => {
      this.connections.push(event)
      this.open = event.status === 'open'
    })
    this.client.on('client_error', ({ error }) => this.errors.push(error))
    this.client.on('message', event => this.messages.push(this.withKey(event)))
    this.client.on('message_receipt', event => this.receipts.push(event))
  }

  connect() {
    return this.client.connect()
  }

  async onQr(qr) {
    if (this.scanning) return
    this.scanning = true
    try {
      if (this.link === 'code') {
        const code = await this.client.requestPairingCode(this.account)
        await this.simulator.linkCode(this.account, code)
      } else {
        this.account = (await this.simulator.scan(qr, this.account)).phone
      }
      this.linked = true
    } catch (error) {
      this.failure = error
    }
  }

  opened(within = 30_000) {
    return waitFor(
      async () => {
        if (this.failure) throw this.failure
        if (!this.open || !this.linked) return false
        // zapo says "open" before its prekeys are on the server; sending fails until then.
        const { devices } = await this.simulator.account(this.account)
        return devices.find(d => !d.virtual && d.connected && d.live && d.prekeys > 0)
      },
      `${this.name} is open`,
      within
    )
  }

  get phone() {
    return this.account
  }
  get device() {
    return this.credentials?.meJid
  }

  async send(phone, text) {
    return this.client.sendMessage(`${phone}@s.whatsapp.net`, text)
  }

  /** The event with the kind of key that Baileys gives. */
  withKey(event) {
    const sender = event.senderJid ?? event.chatJid ?? ''
    const fromMe = sender.split(/[:@]/)[0] === this.account || Boolean(event.message?.deviceSentMessage)
    return { ...event, key: { id: event.stanzaId, remoteJid: event.chatJid, fromMe } }
  }

  /** Sends a read receipt. */
  read(message) {
    const t = String(Math.floor(Date.now() / 1000))
    return this.client.sendReceipt({ to: message.key.remoteJid, id: message.key.id, type: 'read', t })
  }

  /** A read receipt for this message has come. */
  wasRead(id) {
    return this.receipts.some(receipt => receipt.stanzaId === id && receipt.stanzaType === 'read')
  }

  static textOf(event) {
    const content = event.message?.deviceSentMessage?.message ?? event.message
    return content?.conversation ?? content?.extendedTextMessage?.text ?? undefined
  }

  received(text, within = 15_000) {
    return waitFor(
      () => this.messages.find(event => ZapoClient.textOf(event) === text),
      `${this.name} received "${text.slice(0, 40)}"`,
      within
    )
  }

  async stop() {
    await this.client.disconnect()
  }
}
