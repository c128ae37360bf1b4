// The world outside the box: posthorn-sim and a customer on Baileys, driven by JSON lines on standard input.
//   {"do": "scan", "qr": "…"}  {"do": "messages"}  {"do": "violations"}
import { createInterface } from 'node:readline'

import { BaileysClient } from '../interop/lib/baileys.mjs'
import { Simulator } from '../interop/lib/simulator.mjs'

const say = value => process.stdout.write(JSON.stringify(value) + '\n')

const simulator = await Simulator.start({ runFor: 3600 })
const customer = await BaileysClient.link(simulator)
say({ url: simulator.url, rootKey: simulator.rootKey, phone: customer.phone })

for await (const line of createInterface({ input: process.stdin })) {
  const { do: verb, ...more } = JSON.parse(line)
  if (verb === 'scan') say(await simulator.scan(more.qr).catch(error => ({ error: error.message })))
  if (verb === 'violations') say(await simulator.violations())
  if (verb === 'messages') {
    say(customer.messages.filter(m => !m.key.fromMe).map(m => ({ id: m.key.id, text: BaileysClient.textOf(m) })))
  }
}
await customer.stop()
await simulator.stop()
process.exit(0)
