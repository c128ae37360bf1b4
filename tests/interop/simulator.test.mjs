// Two foreign clients through posthorn-sim: proves the stand-in without our own client.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { BaileysClient } from './lib/baileys.mjs'
import { Simulator } from './lib/simulator.mjs'
import { texts } from './lib/texts.mjs'
import { waitFor } from './lib/wait.mjs'
import { ZapoClient } from './lib/zapo.mjs'

const timeout = 120_000

/** One simulator per block; the block ends with no violations. */
function withSimulator(args = []) {
  const here = {}
  before(async () => {
    here.sim = await Simulator.start({ runFor: 300, args })
  })
  after(async () => {
    for (const client of here.clients ?? []) await client.stop()
    const violations = await here.sim.violations()
    await here.sim.stop()
    assert.deepEqual(violations, [])
  })
  here.keep = client => {
    here.clients = [...(here.clients ?? []), client]
    return client
  }
  return here
}

const inJournal = async (sim, device, query) => sim.journal({ device, ...query })

describe('Baileys alone', () => {
  const here = withSimulator()

  test('links by QR, logs in, and everything it asks is answered at once', { timeout }, async () => {
    const client = here.keep(await BaileysClient.link(here.sim))
    const asked = (await inJournal(here.sim, client.device, { tag: 'iq', direction: 'in' })).filter(
      entry => ['get', 'set'].includes(entry.node[1].type)
    )
    const kinds = asked.map(entry => `${entry.node[1].xmlns} ${entry.node[2]?.[0]?.[0] ?? ''}`.trim())
    for (const wanted of ['encrypt count', 'encrypt registration', 'passive active', 'encrypt digest']) {
      assert.ok(kinds.includes(wanted), `${wanted} in ${kinds}`)
    }
    await waitFor(async () => {
      const answers = await inJournal(here.sim, client.device, { tag: 'iq', direction: 'out' })
      return asked.every(question =>
        answers.some(answer => answer.node[1].id === question.node[1].id && answer.at - question.at < 1000)
      )
    }, 'an answer to every question within a second')
    assert.equal(client.states.filter(state => state.connection === 'close').length, 1) // the 515
    await here.sim.expect({ tag: 'ib', child: 'offline', device: client.device })
  })

  test('gets the app-state keys of its phone before it syncs', { timeout }, async () => {
    const [client] = here.clients
    await waitFor(() => client.auth.creds.myAppStateKeyId, 'the key share')
  })

  test('links by the 8 characters typed on the phone', { timeout }, async () => {
    const { phone } = await here.sim.addAccount({ name: 'Code' })
    const client = here.keep(await BaileysClient.link(here.sim, phone, { link: 'code' }))
    assert.equal(client.device, `${phone}:1@s.whatsapp.net`)
  })
})

describe('Baileys and a scripted customer', () => {
  const here = withSimulator()
  let client, customer

  test('a text arrives decrypted, is delivered, read and answered', { timeout }, async () => {
    client = here.keep(await BaileysClient.link(here.sim))
    const script = { read_after: 50, reply_after: 100 }
    customer = await here.sim.addAccount({ name: 'Customer', companions: 1, script })
    for (const text of Object.values(texts)) {
      const sent = await client.send(customer.phone, text)
      const got = await here.sim.received(customer.phone, m => m.text === text && m.device === 0)
      assert.equal(got.id, sent.key.id)
      await here.sim.received(customer.phone, m => m.text === text && m.device === 1)
      await here.sim.received(client.phone, m => m.text === text && m.from_me)
      await client.received(`echo: ${text}`)
      await waitFor(() => client.status(sent.key.id) === 4, 'the read receipt')
    }
  })

  test('a customer edits and deletes what he wrote', { timeout }, async () => {
    const { id } = await here.sim.send(customer.phone, { to: client.phone, text: 'tow coffees' })
    await client.received('tow coffees')
    await here.sim.send(customer.phone, { to: client.phone, text: 'two coffees', edit_of: id })
    await waitFor(
      () =>
        client.updates.some(
          u => u.key.id === id && JSON.stringify(u.update.message ?? {}).includes('two coffees')
        ),
      'the edit'
    )
    await here.sim.send(customer.phone, { to: client.phone, revoke_of: id })
    await waitFor(
      () => client.updates.some(u => u.key.id === id && u.update.message === null),
      'the deletion'
    )
  })

  test('a customer whose phone lost its sessions asks again and gets the message', { timeout }, async () => {
    await here.sim.do(customer.phone, 'lose_session')
    await client.send(customer.phone, 'after the loss')
    await here.sim.received(customer.phone, m => m.text === 'after the loss' && m.device === 0)
    await here.sim.expect({ tag: 'receipt', type: 'retry', device: customer.phone })
  })

  test('a message that was spoiled on the way is asked for again', { timeout }, async () => {
    await here.sim.send(customer.phone, { to: client.phone, text: 'spoiled', tamper: true })
    await client.received('spoiled')
    await here.sim.expect({ tag: 'receipt', type: 'retry', device: client.device })
  })

  test('a customer with a new phone is reached again', { timeout }, async () => {
    await here.sim.do(customer.phone, 'reregister')
    await client.send(customer.phone, 'to your new phone')
    await here.sim.received(customer.phone, m => m.text === 'to your new phone')
  })

  test('a customer without one-time prekeys is reached', { timeout }, async () => {
    const other = await here.sim.addAccount({ name: 'Other' })
    await here.sim.do(other.phone, 'drain_prekeys')
    await client.send(other.phone, 'three DHs')
    const got = await here.sim.received(other.phone, m => m.text === 'three DHs')
    assert.equal(got.enc_type, 'pkmsg')
  })

  test('every message reaches a line that breaks in the middle of a frame', { timeout }, async () => {
    const rule = { where: 'out', action: 'cut', device: client.device, tag: 'message', bytes: 40 }
    await here.sim.fault(rule)
    await here.sim.send(customer.phone, { to: client.phone, text: 'cut in two' })
    await client.received('cut in two')
  })

  test('an ack error reaches the sender', { timeout }, async () => {
    await here.sim.fault({ where: 'in', action: 'error', device: client.device, tag: 'message', code: 479 })
    const sent = await client.send(customer.phone, 'refused')
    await waitFor(() => client.failed(sent.key.id), 'the error')
  })
})

describe('Baileys and Baileys', () => {
  const here = withSimulator()
  let a, b

  test('texts and receipts travel both ways', { timeout }, async () => {
    a = here.keep(await BaileysClient.link(here.sim, undefined, { name: 'A' }))
    b = here.keep(await BaileysClient.link(here.sim, undefined, { name: 'B' }))
    for (const [from, to] of [[a, b], [b, a]]) {
      for (const text of Object.values(texts)) {
        const sent = await from.send(to.phone, text)
        const got = await to.received(text)
        assert.equal(got.key.id, sent.key.id)
        await waitFor(() => from.status(sent.key.id) >= 3, 'the delivery receipt')
        await to.socket.readMessages([got.key])
        await waitFor(() => from.status(sent.key.id) === 4, 'the read receipt')
        to.messages.length = 0
      }
    }
  })

  test('100 each way, interleaved, arrive once and in order', { timeout }, async () => {
    a.messages.length = b.messages.length = 0
    for (let i = 0; i < 100; i++) {
      await Promise.all([a.send(b.phone, `a ${i}`), b.send(a.phone, `b ${i}`)])
    }
    const got = client => client.messages.filter(m => !m.key.fromMe).map(BaileysClient.textOf)
    await waitFor(() => got(a).length >= 100 && got(b).length >= 100, 'all of them', 30_000)
    assert.deepEqual(got(b), Array.from({ length: 100 }, (_, i) => `a ${i}`))
    assert.deepEqual(got(a), Array.from({ length: 100 }, (_, i) => `b ${i}`))
  })

  test('what came while away arrives in order after reconnecting', { timeout }, async () => {
    b.messages.length = 0
    b.reconnect = false
    await here.sim.drop(b.device)
    await waitFor(() => !b.open, 'B is gone')
    for (let i = 0; i < 60; i++) await a.send(b.phone, `away ${i}`)
    b.connect()
    await b.opened()
    const got = () => b.messages.map(BaileysClient.textOf).filter(text => text?.startsWith('away'))
    await waitFor(() => got().length >= 60, 'the backlog', 30_000)
    assert.deepEqual(got(), Array.from({ length: 60 }, (_, i) => `away ${i}`))
    await waitFor(async () => {
      const { devices } = await here.sim.account(b.phone)
      return devices.find(d => !d.virtual).queued === 0
    }, 'every one of them acknowledged')
  })

  test('a second client of the account sees what comes and what is sent', { timeout }, async () => {
    const second = here.keep(await BaileysClient.link(here.sim, b.phone, { name: 'B2' }))
    b.reconnect = true
    await a.send(b.phone, 'to both')
    await b.received('to both')
    await second.received('to both')
    await b.send(a.phone, 'typed on the first')
    await waitFor(
      () => second.messages.some(m => m.key.fromMe && BaileysClient.textOf(m) === 'typed on the first'),
      'the copy'
    )
  })

  test('a client that lost its sessions asks again and gets the message', { timeout }, async () => {
    a.auth.forgetSessions()
    a.socket.end(new Error('its cache must go too'))
    await waitFor(() => !a.open, 'A is gone')
    await a.opened()
    const { last } = await here.sim.request('GET', '/v1/journal?tag=none')
    await b.send(a.phone, 'after your loss')
    await a.received('after your loss')
    await here.sim.expect({ tag: 'receipt', type: 'retry', device: a.device }, { after: last })
  })

  test('no one-time prekey was handed out twice', { timeout }, async () => {
    const seen = new Set()
    for (const entry of await here.sim.journal({ tag: 'iq', direction: 'out', child: 'list' })) {
      for (const [tag, attrs, parts] of entry.node[2][0][2] ?? []) {
        const key = tag === 'user' && Array.isArray(parts) && parts.find(part => part[0] === 'key')
        if (!key) continue
        const value = key[2].find(part => part[0] === 'value')[2].base64
        assert.ok(!seen.has(value), `twice for ${attrs.jid}`)
        seen.add(value)
      }
    }
    assert.ok(seen.size > 3)
  })
})

describe('Baileys and zapo', () => {
  const here = withSimulator()
  let baileys, zapo

  test('both link', { timeout }, async () => {
    zapo = here.keep(await ZapoClient.link(here.sim))
    baileys = here.keep(await BaileysClient.link(here.sim))
  })

  test('texts travel both ways', { timeout }, async () => {
    for (const text of Object.values(texts)) {
      await baileys.send(zapo.phone, text)
      await zapo.received(text)
      await zapo.send(baileys.phone, `back: ${text}`)
      await baileys.received(`back: ${text}`)
    }
  })

  test('read receipts travel both ways', { timeout }, async () => {
    const first = await baileys.send(zapo.phone, 'read me')
    await zapo.read(await zapo.received('read me'))
    await waitFor(() => baileys.status(first.key.id) === 4, 'zapo read it')
    const second = await zapo.send(baileys.phone, 'read me too')
    await baileys.socket.readMessages([(await baileys.received('read me too')).key])
    await waitFor(() => zapo.wasRead(second.id), 'Baileys read it')
  })

  test('zapo links by code beside Baileys on one account', { timeout }, async () => {
    const second = here.keep(await ZapoClient.link(here.sim, baileys.phone, { link: 'code' }))
    await zapo.send(baileys.phone, 'for two clients')
    await baileys.received('for two clients')
    await second.received('for two clients')
  })

  test('zapo asks again for what names its sender by a LID it has no session with', { timeout }, async () => {
    const customer = await here.sim.addAccount({ script: { reply_after: 50 } })
    await here.sim.change(zapo.phone, { lid_migrated: true })
    await zapo.send(customer.phone, 'hello')
    await zapo.received('echo: hello')
  })
})

describe('a server that proves itself wrongly', () => {
  for (const chain of ['leaf_signature', 'intermediate_signature', 'other_leaf_key']) {
    test(`zapo refuses ${chain}`, { timeout }, async () => {
      const sim = await Simulator.start({ runFor: 60, args: ['--chain', chain] })
      const client = new ZapoClient(sim)
      await assert.rejects(
        Promise.race([
          client.connect().then(() => waitFor(() => client.linked, 'linked', 4000)),
          waitFor(() => client.errors.length > 0, 'an error', 8000).then(() => {
            throw client.errors[0]
          })
        ])
      )
      assert.equal(client.open, false)
      await client.stop().catch(() => {})
      await sim.stop()
    })
  }
})
