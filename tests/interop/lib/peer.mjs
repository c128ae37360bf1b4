// A client that we did not write, as a program of its own, so that its memory and CPU can be measured:
//   node peer.mjs KIND FOLDER SIMULATOR-URL CONTROL-URL ROOT-KEY      KIND: baileys-files | baileys-memory | zapo-memory
// Says {"open":…} when it is in; each line {"send":PHONE,"count":N} or {"receive":N} is answered when it is done.
// It keeps no message, and asks for nothing that a till would not.
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { Simulator } from './simulator.mjs'
import { waitFor } from './wait.mjs'

const [kind, folder, url, control, rootKey] = process.argv.slice(2)
const sim = new Simulator({ hello: { url, control, noise_root_key: rootKey } })

/** Takes the place of a list that tests look into: counts what came from others. */
class Counted {
  count = 0
  push(...some) { this.count += some.filter(one => !one.key?.fromMe).length }
}

async function baileys() {
  const { BaileysClient } = await import('./baileys.mjs')
  let auth
  if (kind === 'baileys-files') {
    const { useMultiFileAuthState } = await import('@whiskeysockets/baileys')
    const { state, saveCreds } = await useMultiFileAuthState(join(folder, 'auth'))
    auth = { ...state, save: saveCreds }
  }
  const known = auth?.creds.me?.id
  const client = new BaileysClient(sim, known?.split(':')[0], 'qr', kind, auth)
  const messages = client.messages = new Counted()
  let delivered = 0
  client.updates = { push(...updates) { delivered += updates.filter(({ update }) => update.status === 3).length } }
  client.states = new Counted()
  client.connect()
  await client.opened()
  return {
    phone: client.phone,
    received: () => messages.count,
    delivered: () => delivered,
    send: (phone, text) => client.socket.sendMessage(`${phone}@s.whatsapp.net`, { text })
  }
}

async function zapo() {
  const { ZapoClient } = await import('./zapo.mjs')
  const client = new ZapoClient(sim, undefined, 'qr', kind)
  const messages = client.messages = new Counted()
  let delivered = 0
  client.receipts = { push(...receipts) { delivered += receipts.filter(receipt => !receipt.stanzaType).length } }
  client.connections = new Counted()
  await client.connect()
  await client.opened()
  await sim.change(client.phone, { lid_migrated: false })
  return {
    phone: client.phone,
    received: () => messages.count,
    delivered: () => delivered,
    send: (phone, text) => client.send(phone, text)
  }
}

const say = what => process.stdout.write(JSON.stringify(what) + '\n')

const client = await (kind === 'zapo-memory' ? zapo() : baileys())
let received = 0
let delivered = 0
say({ open: client.phone })
let serial = 0
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  if (order.send) {
    for (let i = 0; i < order.count; i++) await client.send(order.send, `receipt ${serial++}`)
    delivered += order.count
    await waitFor(() => client.delivered() >= delivered, `${delivered} delivered`, 300_000)
    say({ sent: order.count })
  } else {
    received += order.receive
    await waitFor(() => client.received() >= received, `${received} received`, 300_000)
    say({ received: order.receive })
  }
}
process.exit(0)
