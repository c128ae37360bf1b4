// A Baileys client against a stand-in: linked by QR or code, with what it hears kept for tests.
import makeWASocket, {
  DisconnectReason,
  initAuthCreds,
  makeCacheableSignalKeyStore,
  proto
} from '@whiskeysockets/baileys'
import { WA_CERT_DETAILS } from '@whiskeysockets/baileys/lib/Defaults/index.js'
import pino from 'pino'

import { waitFor } from './wait.mjs'

// Its Signal library prints whole sessions.
if (!process.env.POSTHORN_VERBOSE) console.info = console.warn = console.error = () => {}

/** Credentials in memory; they survive reconnects of one client. */
function memoryAuth() {
  const data = {}
  return {
    creds: initAuthCreds(),
    keys: {
      get: async (type, ids) => {
        const out = {}
        for (const id of ids) {
          let value = data[type]?.[id]
          if (value && type === 'app-state-sync-key') {
            value = proto.Message.AppStateSyncKeyData.fromObject(value)
          }
          if (value !== undefined && value !== null) out[id] = value
        }
        return out
      },
      set: async changes => {
        for (const type of Object.keys(changes)) {
          data[type] ??= {}
          for (const [id, value] of Object.entries(changes[type])) {
            if (value === null || value === undefined) delete data[type][id]
            else data[type][id] = value
          }
        }
      },
      clear: async () => {
        for (const type of Object.keys(data)) delete data[type]
      }
    },
    forgetSessions: () => {
      delete data.session
    },
    forgetGroupKeys: () => {
      delete data['sender-key']
    }
  }
}

export class BaileysClient {
  /**
   * Connects and links to `account` (phone digits; undefined: a new one) of the simulator.
   * link: 'qr' or 'code'. history: takes what the phone tells of earlier days.
   */
  static async link(simulator, account, { link = 'qr', name = 'Baileys', history = false } = {}) {
    const client = new BaileysClient(simulator, account, link, name)
    client.history = history
    client.connect()
    // A client that could not link must not keep the test's process alive.
    await client.opened().catch(async error => {
      await client.stop()
      throw error
    })
    return client
  }

  /** `auth`: {creds, keys, save}; without it all is kept in memory. */
  constructor(simulator, account, link, name, auth = memoryAuth()) {
    Object.assign(this, { simulator, account, link, name, auth })
    this.messages = [] // everything from messages.upsert
    this.updates = [] // messages.update
    this.states = []
    this.sent = new Map()
    this.closed = false
    this.reconnect = true
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.rootKey, 'hex')
  }

  connect() {
    const logger = pino({ level: process.env.POSTHORN_VERBOSE ? 'debug' : 'silent' }, pino.destination(2))
    this.open = false
    const socket = makeWASocket({
      auth: { creds: this.auth.creds, keys: makeCacheableSignalKeyStore(this.auth.keys, logger) },
      waWebSocketUrl: this.simulator.url,
      logger,
      browser: ['Ubuntu', 'Chrome', '22.04.4'],
      syncFullHistory: false,
      markOnlineOnConnect: false,
      shouldSyncHistoryMessage: () => this.history ?? false,
      getMessage: async key => this.sent.get(key.id),
      generateHighQualityLinkPreview: false,
      retryRequestDelayMs: 50
    })
    this.socket = socket
    socket.ev.on('creds.update', update => {
      Object.assign(this.auth.creds, update)
      this.auth.save?.()
    })
    socket.ev.on('connection.update', update => this.onConnection(socket, update))
    socket.ev.on('messages.upsert', ({ messages }) => this.messages.push(...messages))
    socket.ev.on('messages.update', updates => this.updates.push(...updates))
  }

  async onConnection(socket, update) {
    this.states.push(update)
    try {
      if (update.qr && !this.scanning) {
        this.scanning = true
        if (this.link === 'code') {
          const code = await socket.requestPairingCode(this.account)
          await this.simulator.linkCode(this.account, code)
        } else {
          const { phone } = await this.simulator.scan(update.qr, this.account)
          this.account = phone
        }
      }
    } catch (error) {
      this.failure = error
    }
    if (update.connection === 'open') this.open = true
    if (update.connection === 'close') {
      this.open = false
      const code = update.lastDisconnect?.error?.output?.statusCode
      this.closeCode = code
      const again = code === DisconnectReason.restartRequired || this.reconnect
      if (!this.closed && again && code !== DisconnectReason.loggedOut) {
        setTimeout(() => !this.closed && this.connect(), 100)
      }
    }
  }

  opened(within = 30_000) {
    return waitFor(
      () => {
        if (this.failure) throw this.failure
        return this.open
      },
      `${this.name} is open`,
      within
    )
  }

  get phone() {
    return this.account
  }
  get device() {
    return this.auth.creds.me?.id
  }

  async send(phone, text, more = {}) {
    const sent = await this.socket.sendMessage(`${phone}@s.whatsapp.net`, { text, ...more })
    this.sent.set(sent.key.id, sent.message)
    return sent
  }

  /** The text of a message, whatever it is in. */
  static textOf(message) {
    const content = message.message
    return content?.conversation ?? content?.extendedTextMessage?.text
  }

  received(text, within = 15_000) {
    return waitFor(
      () => this.messages.find(m => !m.key.fromMe && BaileysClient.textOf(m) === text),
      `${this.name} received "${text.slice(0, 40)}"`,
      within
    )
  }

  /** Baileys' status of a sent message: 2 server, 3 delivered, 4 read. While Baileys buffers its events, what becomes of
   *  a message is told with the message itself. */
  status(id) {
    const told = [...this.updates.filter(u => u.key.id === id).map(u => u.update.status), ...this.messages.filter(m => m.key.id === id).map(m => m.status)]
    return Math.max(0, ...told.map(status => status ?? 0))
  }

  /** The server refused the message. */
  failed(id) {
    return (
      this.updates.some(u => u.key.id === id && u.update.status === 0) ||
      this.messages.some(m => m.key.id === id && m.status === 0)
    )
  }

  async stop() {
    this.closed = true
    this.socket?.end(undefined)
  }
}
