// posthornd against clients that we did not write, through posthorn-sim.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon, sleep } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { texts } from './lib/texts.mjs'
import { waitFor } from './lib/wait.mjs'
import { ZapoClient } from './lib/zapo.mjs'

const timeout = 180_000
const chat = phone => `${phone}@c.us`

const textOf = body => body.messageData?.textMessageData?.textMessage ?? body.messageData?.extendedTextMessageData?.text
const incoming = body => body.typeWebhook === 'incomingMessageReceived'
const status = (id, wanted) => body => body.typeWebhook === 'outgoingMessageStatus' && body.idMessage === id && body.status === wanted

/** What differs between the two foreign clients. */
const kinds = {
  Baileys: {
    link: (sim, account) => BaileysClient.link(sim, account),
    textOf: BaileysClient.textOf,
    idOf: message => message.key.id,
    incoming: client => client.messages.filter(m => !m.key.fromMe),
    read: (client, message) => client.socket.readMessages([message.key]),
    sentId: sent => sent.key.id,
    wasRead: (client, id) => client.status(id) === 4
  },
  zapo: {
    link: async (sim, account) => {
      const client = await ZapoClient.link(sim, account)
      // zapo 0.3.0 keeps sessions under phone numbers and does not follow a move to LIDs.
      await sim.change(client.phone, { lid_migrated: false })
      return client
    },
    textOf: ZapoClient.textOf,
    idOf: message => message.stanzaId,
    incoming: client => client.messages.filter(m => m.stanzaType === 'text'),
    read: (client, message) => client.client.sendReceipt({ to: message.chatJid, id: message.stanzaId, type: 'read' }),
    sentId: sent => sent.id,
    wasRead: (client, id) => client.receipts.some(r => JSON.stringify(r).includes(id) && JSON.stringify(r).includes('read'))
  }
}

for (const [name, kind] of Object.entries(kinds)) {
  describe(`posthornd and ${name}`, () => {
    let sim, box, customer

    before(async () => {
      sim = await Simulator.start({ runFor: 900 })
      box = await new Daemon(sim).start()
      await box.link(sim)
      customer = await kind.link(sim)
    }, { timeout })
    after(async () => {
      await customer?.stop()
      const violations = await sim.violations()
      await box?.dispose()
      await sim.stop()
      assert.deepEqual(violations, [])
    })

    test('what the till posts is decrypted with the same text and id', { timeout }, async () => {
      for (const [what, text] of Object.entries(texts)) {
        const id = await box.send(chat(customer.phone), text)
        const got = await customer.received(text)
        assert.equal(kind.idOf(got), id, what)
        await box.nextWhere(`status sent of ${what}`, status(id, 'sent'))
      }
    })

    test('what the customer writes arrives at receiveNotification', { timeout }, async () => {
      for (const text of Object.values(texts)) {
        const sent = await customer.send(box.phone, text)
        const body = await box.nextWhere(`"${text.slice(0, 20)}"`, b => incoming(b) && textOf(b) === text)
        assert.equal(body.senderData.chatId, chat(customer.phone))
        assert.equal(body.senderData.sender, chat(customer.phone))
        assert.equal(body.idMessage, kind.sentId(sent))
      }
    })

    test('delivery and read receipts travel both ways', { timeout }, async () => {
      const id = await box.send(chat(customer.phone), 'did you get this?')
      const got = await customer.received('did you get this?')
      await box.nextWhere('delivered', status(id, 'delivered'))
      await kind.read(customer, got)
      await box.nextWhere('read', status(id, 'read'))

      const sent = await customer.send(box.phone, 'please read me')
      await box.nextWhere('the text', b => incoming(b) && textOf(b) === 'please read me')
      const marked = await box.call('readChat', { chatId: chat(customer.phone), idMessage: kind.sentId(sent) })
      assert.deepEqual(marked, { setRead: true })
      await waitFor(() => kind.wasRead(customer, kind.sentId(sent)), 'the read receipt at the customer')
    })

    test('200 messages each way, interleaved, none lost, doubled or out of order', { timeout }, async () => {
      await exchange('wave', 200)
    })

    test('the same with the box killed and restarted in the middle', { timeout }, async () => {
      await exchange('kill', 200, async () => {
        await box.kill()
        await box.start()
      })
    })

    async function exchange(tag, count, inTheMiddle) {
      const before = kind.incoming(customer).length
      const received = []
      const [sent] = await Promise.all([
        (async () => {
          const out = []
          for (let i = 0; i < count; i++) {
            if (inTheMiddle && i === count / 2) await inTheMiddle()
            out.push(await box.send(chat(customer.phone), `${tag} to customer ${i}`))
          }
          return out
        })(),
        (async () => {
          for (let i = 0; i < count; i++) await customer.send(box.phone, `${tag} to box ${i}`)
        })(),
        (async () => {
          const seen = new Set()
          const end = Date.now() + 150_000
          while (received.length < count && Date.now() < end) {
            const body = await box.next(5).catch(() => sleep(200)) // the box is away for a moment
            if (!body || !incoming(body) || !textOf(body)?.startsWith(`${tag} to box`)) continue
            // A notification whose deletion was cut off comes again with its id: the POS drops it.
            if (inTheMiddle && seen.has(body.idMessage)) continue
            seen.add(body.idMessage)
            received.push(textOf(body))
          }
        })()
      ])
      assert.deepEqual(received, Array.from({ length: count }, (_, i) => `${tag} to box ${i}`))
      const arrived = () => kind.incoming(customer).slice(before).filter(m => kind.textOf(m)?.startsWith(`${tag} to customer`))
      await waitFor(() => arrived().length >= count, `${count} messages at the customer`, 60_000)
      await sleep(500) // time for a repeat to show itself
      assert.deepEqual(arrived().map(kind.textOf), Array.from({ length: count }, (_, i) => `${tag} to customer ${i}`))
      assert.deepEqual(arrived().map(kind.idOf), sent)
    }

    if (name === 'Baileys') {
      test('with typingTime the customer sees "typing…" for so long, then the message', { timeout }, async () => {
        const seen = []
        customer.socket.ev.on('presence.update', ({ presences }) => {
          for (const { lastKnownPresence } of Object.values(presences)) seen.push({ what: lastKnownPresence, at: Date.now() })
        })
        await box.send(chat(customer.phone), 'typed by hand', { typingTime: 2000 })
        await customer.received('typed by hand')
        const arrived = Date.now()
        const composing = seen.find(one => one.what === 'composing')
        assert.ok(composing, `it was shown: ${JSON.stringify(seen)}`)
        assert.ok(arrived - composing.at >= 1900, `for ${arrived - composing.at} ms`)
        await waitFor(() => seen.at(-1).what !== 'composing', 'it ends')
      })

      test('a customer that lost its sessions asks again and gets the message', { timeout }, async () => {
        customer.auth.forgetSessions()
        customer.socket.end(new Error('its cache must go too'))
        await waitFor(() => !customer.open, 'closed')
        await customer.opened()
        await box.send(chat(customer.phone), 'after your loss')
        await customer.received('after your loss')
        await sim.expect({ tag: 'receipt', type: 'retry', device: customer.device })
      })
    }

    test('a box that lost its sessions asks again and gets the message', { timeout }, async () => {
      await box.kill()
      execFileSync('python3', ['-c', 'import sqlite3,sys\ndb=sqlite3.connect(sys.argv[1]); db.execute("DELETE FROM sessions"); db.commit()', join(box.folder, 'data/posthorn.db')])
      await box.start()
      await box.authorized()
      await customer.send(box.phone, 'after my loss')
      await box.nextWhere('the text', b => incoming(b) && textOf(b) === 'after my loss', 60_000)
    })

    test('checkWhatsapp knows who is there', { timeout }, async () => {
      assert.equal((await box.call('checkWhatsapp', { phoneNumber: Number(customer.phone) })).existsWhatsapp, true)
      assert.equal((await box.call('checkWhatsapp', { phoneNumber: 5599999999999 })).existsWhatsapp, false)
    })
  })
}

describe('posthornd and a wrong world', () => {
  for (const flaw of ['leaf_signature', 'intermediate_signature', 'other_leaf_key', 'leaf_issuer']) {
    test(`refuses a server whose certificate chain has ${flaw}`, { timeout }, async () => {
      const sim = await Simulator.start({ runFor: 60, args: ['--chain', flaw] }).catch(error => {
        throw new Error(`unknown flaw? ${error.message}`)
      })
      const box = await new Daemon(sim).start()
      await waitFor(() => /certificate|chain/i.test(box.log), 'the refusal in the log')
      assert.notEqual(await box.state(), 'authorized')
      assert.equal((await sim.journal({ tag: 'iq' })).length, 0)
      await box.dispose()
      await sim.stop()
    })
  }

  test('links by the 8 characters typed on the phone', { timeout }, async () => {
    const sim = await Simulator.start({ runFor: 120 })
    const box = await new Daemon(sim).start()
    const { phone } = await sim.addAccount({ name: 'Shop' })
    await box.qrText()
    const { code } = await box.call('getAuthorizationCode', { phoneNumber: Number(phone) })
    await sim.linkCode(phone, code)
    await box.authorized()
    await box.dispose()
    await sim.stop()
  })

  test('unlinked from the phone it says so and can be linked again', { timeout }, async () => {
    const sim = await Simulator.start({ runFor: 120 })
    const box = await (await new Daemon(sim).start()).link(sim)
    await sim.request('POST', `/v1/devices/${box.phone}:1@s.whatsapp.net/logout`)
    await waitFor(async () => (await box.state()) === 'notAuthorized', 'notAuthorized')
    await sim.scan(await box.qrText(), box.phone)
    await waitFor(() => box.online(), 'online again')
    // The throttle stays closed for a while after an unlink; the person who linked again is its word.
    const status = await box.call('getThrottleStatus')
    assert.equal(status.signal, 'unlinked')
    assert.equal(status.needsAcknowledgement, false)
    await box.dispose()
    await sim.stop()
  })

  test('refuses a time zone that does not exist, with file, line and key', { timeout }, async () => {
    const sim = await Simulator.start({ runFor: 60 })
    const box = new Daemon(sim, { throttle: 'time_zone = "Europe/Berlni"' })
    await assert.rejects(box.start(), error => {
      const line = readFileSync(box.config, 'utf8').split('\n').findIndex(l => l.startsWith('time_zone')) + 1
      assert.ok(error.message.includes(`${box.config}:${line}: throttle.time_zone: no such zone: Europe/Berlni`), error.message)
      return /ended with 2/.test(error.message)
    })
    rmSync(box.folder, { recursive: true })
    await sim.stop()
  })

  test('quiet hours are those of throttle.time_zone', { timeout }, async () => {
    const sim = await Simulator.start({ runFor: 120 })
    // One hour before and after now as it is on Kiritimati, 14 hours ahead of UTC all the year.
    const clock = hoursFromNow => new Date(Date.now() + (14 + hoursFromNow) * 3_600_000).toISOString().slice(11, 16)
    for (const [zone, reason] of [['Pacific/Kiritimati', 'quiet_hours'], ['UTC', 'other']]) {
      const box = new Daemon(sim, { unpaced: false, quiet: [clock(-1), clock(1)], throttle: `time_zone = "${zone}"` })
      await (await box.start()).link(sim)
      const { phone } = await sim.addAccount({ name: 'Customer' })
      await box.send(chat(phone), 'your order is ready')
      if (reason === 'quiet_hours') {
        await waitFor(async () => (await box.call('showMessagesQueue'))[0]?.holdReason === 'quiet_hours', 'the job waits for the morning')
      } else {
        await sim.received(phone, message => message.text === 'your order is ready')
      }
      await box.dispose()
    }
    await sim.stop()
  })
})
