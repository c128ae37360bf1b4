// The official API as a second transport, against a stand-in of it, with the relay between them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'

import { Daemon } from './lib/daemon.mjs'
import { Graph } from './lib/graph.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const timeout = 60_000
const customer = '4915550007777'
const chat = `${customer}@c.us`

describe('the official API as a second transport', () => {
  let sim, graph, hook, folder, direct, relayed, mute, gone, paced, relay

  const settings = (more, transport = 'official') => `
[cloud]
url = "${graph.url}"
phone_number_id = "${graph.number}"
waba_id = "${graph.waba}"
token_file = "${folder}/token"
app_secret_file = "${folder}/secret"
transport = "${transport}"
receipt_template = "receipt"
currency = "USD"
price_utility = 34
price_service = 34
${more}
`
  const statusOf = (box, id, status) => box.nextWhere(`${status} of ${id}`, body => body.typeWebhook === 'outgoingMessageStatus' && body.idMessage === id && body.status === status)

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-official-'))
    sim = await Simulator.start({ runFor: 300, args: ['--cloud'] })
    graph = await new Graph(sim).start()
    writeFileSync(join(folder, 'token'), `${graph.token}\n`)
    writeFileSync(join(folder, 'secret'), `${graph.secret}\n`)
    direct = await new Daemon(sim, { throttle: settings('mode = "direct"\nverify_token = "ours"') }).start()
    await direct.link(sim)
    hook = `${direct.url}/webhook/cloud`
    await graph.set({ webhook: hook, duplicates: true })
  }, { timeout })

  after(async () => {
    for (const box of [direct, relayed, mute, gone, paced]) await box?.dispose()
    relay?.kill()
    await sim?.stop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  test('its number answers, and nobody else can tell it anything', { timeout }, async () => {
    assert.equal((await direct.call('testOfficial', {})).quality_rating, 'GREEN')
    const challenge = token => fetch(`${hook}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`)
    assert.equal(await (await challenge('ours')).text(), '1158201444')
    assert.equal((await challenge('other')).status, 403)
    assert.equal(await graph.tell({ statuses: [] }, { secret: 'wrong' }), 403)
    assert.equal(await graph.tell({ statuses: [] }), 200)
    assert.equal(await graph.tell({ statuses: [], unheard_of: [{}] }), 200, 'keys that nobody knows are no reason to refuse')
  })

  test('a receipt goes as a template, and the till is told what became of it', { timeout }, async () => {
    const id = await direct.send(chat, 'Order 118:\nthank you')
    await statusOf(direct, id, 'sent')
    await statusOf(direct, id, 'delivered')
    await statusOf(direct, id, 'read')
    const post = (await graph.posts()).at(-1)
    assert.equal(post.template.name, 'receipt')
    assert.equal(post.template.components[0].parameters[0].text, 'Order 118: thank you')
    assert.equal(post.biz_opaque_callback_data, id)
  })

  test('who has written is answered as it is', { timeout }, async () => {
    assert.equal(await graph.say(customer, 'Is it ready? ä/😀', 'wamid.IN'), 200)
    assert.equal(await graph.say(customer, 'Is it ready? ä/😀', 'wamid.IN'), 200)
    const told = await direct.nextWhere('what they wrote', body => body.typeWebhook === 'incomingMessageReceived')
    assert.equal(told.messageData.textMessageData.textMessage, 'Is it ready? ä/😀')
    assert.equal(told.senderData.chatId, chat)
    const id = await direct.send(chat, 'Yes, come by')
    await statusOf(direct, id, 'delivered')
    assert.deepEqual((await graph.posts()).at(-1).text, { body: 'Yes, come by', preview_url: true })
    assert.ok(!(direct.seen ?? []).some(body => body.idMessage === 'wamid.IN'), 'once')
  })

  test('what they answer is named as the till names it, and what the till answers as Meta does', { timeout }, async () => {
    const id = await direct.send(chat, 'Your cake is ready', { externalId: 'order-118' })
    await statusOf(direct, id, 'delivered')
    const { wamid } = (await graph.state()).posts.at(-1)
    const hear = async (type, part, more) => {
      const heard = `wamid.HEARD-${type}`
      const message = { from: customer, id: heard, timestamp: `${Math.floor(Date.now() / 1000)}`, type, [type]: part, ...more }
      assert.equal(await graph.tell({ contacts: [{ profile: { name: 'Ida' }, wa_id: customer }], messages: [message] }), 200)
      return direct.nextWhere(`their ${type}`, body => body.idMessage === heard)
    }
    const reply = await hear('text', { body: 'Great!' }, { context: { from: graph.phone, id: wamid } })
    assert.equal(reply.messageData.quotedMessage.stanzaId, id)
    assert.equal(reply.messageData.quotedMessage.externalId, 'order-118')
    const liked = await hear('reaction', { message_id: wamid, emoji: '👍' })
    assert.equal(liked.messageData.quotedMessage.stanzaId, id)

    await statusOf(direct, await direct.send(chat, 'See you', { quotedMessageId: reply.idMessage }), 'sent')
    assert.equal((await graph.posts()).at(-1).context.message_id, reply.idMessage)
    await statusOf(direct, await direct.send(chat, 'about this', { quotedMessageId: id }), 'sent')
    assert.equal((await graph.posts()).at(-1).context.message_id, wamid)
    for (const [idMessage, theirs] of [[reply.idMessage, reply.idMessage], [id, wamid]]) {
      await statusOf(direct, (await direct.call('sendReaction', { chatId: chat, idMessage, reaction: '🎂' })).idMessage, 'sent')
      assert.deepEqual((await graph.posts()).at(-1).reaction, { message_id: theirs, emoji: '🎂' })
    }
    await assert.rejects(direct.call('editMessage', { chatId: chat, idMessage: id, message: 'x' }), /went by the official number/)
    await assert.rejects(direct.call('sendReaction', { chatId: chat, idMessage: 'wamid.NEVER-HEARD', reaction: '🎂' }), /notfound/)
  })

  test('a read mark and typing reach the official number, by either dialect', { timeout }, async () => {
    const reads = async () => (await graph.state()).reads.map(one => [one.message_id, one.typing_indicator?.type])
    const ids = await direct.call('getCloudSettings', undefined, { token: direct.care })
    const local = (to, id) => 'wamid.' + Buffer.concat([Buffer.from([0x1c, 0x18, to.length]), Buffer.from(to), Buffer.from([0x15, 2, 0, 0x12, 0x18, id.length]), Buffer.from(id), Buffer.from([0])]).toString('base64')
    const post = async body => {
      const answer = await fetch(`${direct.url}/v26.0/${ids.phoneNumberId}/messages`, { method: 'POST', headers: { authorization: `Bearer ${direct.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ messaging_product: 'whatsapp', ...body }) })
      return { status: answer.status, body: await answer.json() }
    }
    assert.equal(await graph.say(customer, 'Anybody there?', 'wamid.READ-00001'), 200)
    const typing = await post({ status: 'read', message_id: local(customer, 'wamid.READ-00001'), typing_indicator: { type: 'text' } })
    assert.deepEqual(typing, { status: 200, body: { success: true } })
    assert.deepEqual((await reads()).at(-1), ['wamid.READ-00001', 'text'])
    assert.equal(await graph.say(customer, 'Hello?', 'wamid.READ-00002'), 200)
    assert.equal((await direct.call('readChat', { chatId: chat })).setRead, true)
    assert.deepEqual((await reads()).at(-1), ['wamid.READ-00002', undefined])
    const marked = (await reads()).length
    await direct.call('readChat', { chatId: chat, idMessage: 'wamid.READ-00002' })
    assert.equal((await reads()).length, marked, 'once')
    await direct.call('sendTyping', { chatId: chat })
    await waitFor(async () => (await reads()).length === marked + 1, 'typing')
    assert.deepEqual((await reads()).at(-1), ['wamid.READ-00002', 'text'])

    const answer = await post({ to: customer, text: { body: 'Yes!' }, context: { message_id: local(customer, 'wamid.READ-00002') } })
    assert.equal(answer.status, 200)
    const sent = await waitFor(async () => (await graph.posts()).find(one => one.text?.body === 'Yes!'), 'the answer')
    assert.equal(sent.context.message_id, 'wamid.READ-00002')
    const never = await post({ to: customer, text: { body: 'Yes!' }, context: { message_id: local(customer, 'wamid.NEVER-HEARD') } })
    assert.equal(never.body.error.code, 131009)
    assert.equal(await graph.say('DE.9zRead', 'No number'), 200)
    const nameless = await post({ recipient: 'DE.9zRead', text: { body: 'Come by' } })
    assert.equal(nameless.status, 200, JSON.stringify(nameless.body))
    await waitFor(async () => (await graph.posts()).find(one => one.recipient === 'DE.9zRead'), 'who has no number is written to')
    assert.equal((await post({ recipient: 'DE.nobody', text: { body: 'x' } })).body.error.code, 131062)
  })

  test('a window that Meta says is closed: once more as a template', { timeout }, async () => {
    await graph.forward(25 * 3600)
    const before = (await graph.posts()).length
    const id = await direct.send(chat, 'said too late')
    await statusOf(direct, id, 'delivered')
    assert.deepEqual((await graph.posts()).slice(before).map(post => [post.type, post.biz_opaque_callback_data]), [['text', id], ['template', id]])
    await graph.say(customer, 'and again')
  })

  test('a picture to that number is fetched, and the till gets it by its link', { timeout }, async () => {
    const picture = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), randomBytes(5000)])
    assert.equal(await graph.sendPicture(customer, 'like this', picture), 200)
    const told = await direct.nextWhere('the picture', body => body.messageData?.typeMessage === 'imageMessage')
    assert.equal(told.messageData.fileMessageData.caption, 'like this')
    const got = await fetch(told.messageData.fileMessageData.downloadUrl)
    assert.ok(Buffer.from(await got.arrayBuffer()).equals(picture))
  })

  test('a document is uploaded and sent', { timeout }, async () => {
    const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(200_000)])
    const { idMessage } = await direct.form('sendFileByUpload', { chatId: chat, caption: 'Your invoice' }, pdf, 'invoice.pdf', 'application/pdf')
    await statusOf(direct, idMessage, 'delivered')
    const { uploads } = await graph.state()
    assert.equal(uploads[0].sha256, createHash('sha256').update(pdf).digest('hex'), 'byte for byte')
    assert.equal(uploads[0].type, 'application/pdf')
    assert.deepEqual((await graph.posts()).at(-1).document, { id: uploads[0].id, caption: 'Your invoice', filename: 'invoice.pdf' })
  })

  test('faults: tried again, given up, stopped until somebody has seen to it', { timeout }, async () => {
    await graph.fault({ code: 131016 })
    const again = await direct.send(chat, 'tried again')
    await statusOf(direct, again, 'sent')
    await graph.fault({ code: 131026 })
    const nobody = await direct.send('4915550008888@c.us', 'nobody')
    await statusOf(direct, nobody, 'noAccount')
    await graph.fault({ code: 190, details: 'the session has expired' })
    const later = await direct.send(chat, 'after a new token')
    const stopped = await waitFor(async () => {
      const shown = await direct.call('getOfficialStatus')
      return shown.works ? null : shown
    }, 'it is stopped')
    assert.match(stopped.stoppedBy, /190: the session has expired/)
    assert.ok(!JSON.stringify(stopped).includes(graph.token))
    await direct.call('resumeOfficial', {}, { token: direct.care })
    await statusOf(direct, later, 'sent')
  })

  test('an answer that is lost is found by its webhook, and nothing is sent twice', { timeout }, async () => {
    await graph.fault({ drop: true })
    const before = (await graph.posts()).length
    const id = await direct.send(chat, 'its answer is lost')
    await statusOf(direct, id, 'sent')
    assert.equal((await graph.posts()).length, before + 1)
  })

  test('a stop word to that number is one for both', { timeout }, async () => {
    const other = '4915550006666'
    assert.equal(await graph.say(other, 'STOP', 'wamid.STOP'), 200)
    const listed = async () => (await direct.call('getOptOuts')).some(one => JSON.stringify(one).includes(other))
    await waitFor(listed, 'the customer on the list')
    assert.equal(await graph.say(other, 'START', 'wamid.START'), 200)
    await waitFor(async () => !await listed(), 'the customer off the list')
  })

  test('a message may choose the linked account', { timeout }, async () => {
    const { phone } = await sim.addAccount()
    const before = (await graph.posts()).length
    const id = await direct.send(`${phone}@c.us`, 'by the other number', { transport: 'own' })
    await direct.nextWhere(`an end of ${id}`, body => body.idMessage === id && body.status === 'sent')
    assert.equal((await graph.posts()).length, before)
    await assert.rejects(direct.send(chat, 'x', { transport: 'pigeon' }), /transport/)
  })

  test('somebody without a number is written to by their id, and is one person with the number when it comes', { timeout }, async () => {
    const nameless = 'DE.1a2BxYz@bsuid'
    assert.equal(await graph.say('DE.1a2BxYz', 'No number, but hungry'), 200)
    const told = await direct.nextWhere('what they wrote', body => body.typeWebhook === 'incomingMessageReceived' && body.senderData.chatId === nameless)
    assert.equal(told.messageData.textMessageData.textMessage, 'No number, but hungry')
    await statusOf(direct, await direct.send(nameless, 'Come by'), 'delivered')
    const post = (await graph.posts()).at(-1)
    assert.deepEqual([post.recipient, post.to, post.type], ['DE.1a2BxYz', undefined, 'text'])
    const phone = '4915550005555'
    assert.equal(await graph.say(phone, 'And this is my number', undefined, { user_id: 'DE.1a2BxYz' }), 200)
    await direct.nextWhere('their number', body => body.senderData?.chatId === `${phone}@c.us`)
    await statusOf(direct, await direct.send(nameless, 'Noted'), 'delivered')
    assert.equal((await graph.posts()).at(-1).to, phone)
    assert.equal(await graph.say(phone, 'Hidden again', undefined, { hide_number: true }), 200)
    const again = await direct.nextWhere('the same person', body => body.messageData?.textMessageData?.textMessage === 'Hidden again')
    assert.equal(again.senderData.chatId, `${phone}@c.us`)
  })

  test('Meta holds somebody back: not written to for a day, but answered', { timeout }, async () => {
    const shy = '4915550004444'
    await graph.fault({ code: 131049 })
    await statusOf(direct, await direct.send(`${shy}@c.us`, 'news'), 'failed')
    const posts = (await graph.posts()).length
    const told = await statusOf(direct, await direct.send(`${shy}@c.us`, 'more news'), 'failed')
    assert.match(told.description, /Meta holds back what is sent to this person until/)
    assert.equal((await graph.posts()).length, posts)
    await graph.say(shy, 'What is it?')
    await statusOf(direct, await direct.send(`${shy}@c.us`, 'nothing'), 'delivered')
  })

  test('what the page shows', { timeout }, async () => {
    const shown = await waitFor(async () => {
      const shown = await direct.call('getOfficialStatus')
      return shown.number && shown.templates.known > 0 ? shown : null
    }, 'number and templates are read')
    assert.equal(shown.on, true)
    assert.equal(shown.sentence, 'The official number sends.')
    assert.equal(shown.number.qualityRating, 'GREEN')
    assert.equal(shown.number.messagingLimit, 'TIER_2K')
    assert.deepEqual(shown.templates.list, [{ name: 'receipt', language: 'en_US', status: 'APPROVED', category: 'UTILITY', parameterFormat: 'POSITIONAL' }])
    assert.ok(shown.windows.known && shown.windows.open > 0)
    assert.equal(shown.heldToday, 1)
    assert.equal(shown.month.freeService, 1000)
    assert.equal(shown.mode, 'direct')
  })

  test('the price counter is what the webhooks said, to the message', { timeout }, async () => {
    // Meta's calendar went on by a day, perhaps into the next month.
    const monthOf = seconds => new Date(Number(seconds) * 1000).toISOString().slice(0, 7)
    const [month, pricing] = await waitFor(async () => {
      const { month } = await direct.call('getOfficialStatus')
      const pricing = (await graph.state()).pricing.filter(one => monthOf(one.timestamp) === month.month)
      const counted = month.messages.reduce((sum, one) => sum + one.count, 0)
      return counted === pricing.length ? [month, pricing] : null
    }, 'every message is counted')
    assert.equal(month.service, pricing.filter(one => one.category === 'service').length)
    assert.ok(month.service > 0)
    const paid = pricing.filter(one => one.type === 'regular').length
    assert.ok(Math.abs(month.cost - paid * 0.034) < 1e-9)
  })

  test('a box behind a router fetches its webhooks from the relay', { timeout }, async () => {
    const kept = join(folder, 'relay/box7')
    mkdirSync(kept, { recursive: true })
    writeFileSync(join(kept, 'token'), 'token-of-box7')
    writeFileSync(join(kept, 'verify_token'), 'ours')
    writeFileSync(join(folder, 'relay-token'), 'token-of-box7')
    relay = spawn('python3', [join(import.meta.dirname, '../../firmware/relay/relay.py'), '--listen', '127.0.0.1:0', '--folder', join(folder, 'relay')], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: relay.stdout }), 'line')
    const { url } = JSON.parse(line)
    assert.equal((await fetch(`${url}/out/box7?after=0`)).status, 403)
    assert.equal(await (await fetch(`${url}/in/box7?hub.mode=subscribe&hub.challenge=77&hub.verify_token=ours`)).text(), '77')
    await graph.set({ webhook: `${url}/in/box7` })
    // Said while the box is not there.
    assert.equal(await graph.say(customer, 'before the box came'), 200)
    relayed = await new Daemon(sim, { throttle: settings(`mode = "relay"\nrelay_url = "${url}/out/box7"\nrelay_token_file = "${folder}/relay-token"`) }).start()
    const told = await relayed.nextWhere('what they wrote', body => body.typeWebhook === 'incomingMessageReceived')
    assert.equal(told.messageData.textMessageData.textMessage, 'before the box came')
    const id = await relayed.send(chat, 'as it is')
    await statusOf(relayed, id, 'delivered')
    assert.equal((await graph.posts()).at(-1).type, 'text')
  })

  test('a power cut with the answer on its way is told as unknown, and not repeated', { timeout }, async () => {
    await graph.set({ webhook: '' })
    mute = await new Daemon(sim, { throttle: settings('mode = "send-only"', 'auto') }).start()
    // It is linked to nobody, so all that can goes by the official number.
    await waitFor(async () => (await mute.state()) === 'notAuthorized', 'it knows that')
    await graph.fault({ hang: true })
    const before = (await graph.posts()).length
    const id = await mute.send(chat, 'who knows')
    await waitFor(async () => (await graph.posts()).length === before + 1, 'it has left')
    await mute.kill()
    await mute.start()
    const told = await statusOf(mute, id, 'failed')
    assert.match(told.description, /^unknown: it may have been sent/)
    assert.equal((await graph.posts()).length, before + 1)
    const next = await mute.send(chat, 'the next one goes')
    await statusOf(mute, next, 'sent')
    for (const secret of [graph.token, graph.secret]) assert.ok(!mute.log.includes(secret), 'no secret in the log')
  })

  test('the number is taken out of the settings while a message is on its way: it is told, and nobody sends it again', { timeout }, async () => {
    await graph.set({ webhook: '' })
    gone = await new Daemon(sim, { throttle: settings('mode = "send-only"') }).start()
    await gone.link(sim)
    const { phone } = await sim.addAccount()
    await graph.fault({ hang: true })
    const before = (await graph.posts()).length
    const id = await gone.send(`${phone}@c.us`, 'on its way')
    await waitFor(async () => (await graph.posts()).length === before + 1, 'it has left')
    await gone.kill()
    const config = readFileSync(gone.config, 'utf8')
    writeFileSync(gone.config, config.replace(/\[cloud\][^[]*/, ''))
    await gone.start()
    const told = await statusOf(gone, id, 'failed')
    assert.match(told.description, /^unknown: it may have been sent/)
    assert.deepEqual(await gone.call('getOfficialStatus'), { on: false, sentence: 'No official number is set up.' })
    await assert.rejects(gone.call('testOfficial', {}), /no official number is set up/)
    await assert.rejects(gone.send(`${phone}@c.us`, 'only there', { transport: 'official' }), /400 .*'transport' must not be official: no official number is set up/)
    const own = await gone.send(`${phone}@c.us`, 'by the linked account')
    await statusOf(gone, own, 'sent')
    const inbox = await sim.request('GET', `/v1/peers/${phone}/inbox`)
    assert.deepEqual(inbox.messages.map(one => one.text), ['by the linked account'])
  })

  test('no secret is in a log, in an answer or in the support bundle', { timeout }, async () => {
    for (const box of [direct, relayed, mute]) {
      const answer = await fetch(`${box.url}/waInstance${box.id}/getSupportBundle/${box.care}`)
      assert.equal(answer.status, 200)
      const packed = Buffer.from(await answer.arrayBuffer())
      const bundle = (packed[0] === 0x1f ? gunzipSync(packed) : packed).toString('latin1')
      assert.match(bundle, /phone_number_id/)
      const answers = JSON.stringify([await box.call('getOfficialStatus'), await box.call('getCloudStatus')])
      for (const secret of [graph.token, graph.secret, 'token-of-box7']) {
        for (const [where, text] of Object.entries({ bundle, log: box.log, answers })) assert.ok(!text.includes(secret), `${secret} in ${where}`)
      }
    }
  })

  test('auto: openings that the linked account must hold back go by the official number, known people do not', { timeout }, async () => {
    await graph.set({ webhook: '' })
    paced = await new Daemon(sim, { unpaced: false, throttle: settings('auto_minutes = 1', 'auto') }).start()
    await paced.link(sim)
    const before = (await graph.posts()).length
    const ids = []
    for (let i = 0; i < 6; i++) {
      const { phone } = await sim.addAccount()
      ids.push(await paced.send(`${phone}@c.us`, `Welcome, customer ${i}`))
    }
    await waitFor(async () => (await graph.posts()).length >= before + 3, 'openings go by the official number', 20_000)
    const official = (await graph.posts()).slice(before).map(post => post.biz_opaque_callback_data)
    assert.equal(new Set(official).size, official.length, 'each once')
    assert.ok(!official.includes(ids[0]), 'the first opening is the linked account\'s')
    for (const id of official) assert.ok(ids.includes(id))
    await waitFor(async () => (await paced.call('showMessagesQueue')).every(one => !official.includes(one.messageID)), 'what went out waits nowhere')
  })
})
