// What files, a long history and mixed work cost the box, against posthorn-sim in another process:
//   tests/interop/run --plain file-numbers.mjs [files] [MB of the large one] [messages of history] [mixed sends]
// Release build; the throttle's pace and the HTTP rate limits are off. CPU is the daemon's own, all threads. Sent: from the first POST
// to the last status "sent". Received: until the till has downloaded the last one. History: until the box says that it is taken.
import { randomBytes } from 'node:crypto'

import { Daemon, sleep } from './lib/daemon.mjs'
import { cpu, memory } from './lib/measure.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0' // the media host's certificate is made at its start
const [files, large, history, mixed] = [100, 100, 50_000, 1000].map((usual, i) => Number(process.argv[2 + i] ?? usual))
const MB = 1_000_000

const sim = await Simulator.start({ runFor: 3000 })
const box = await new Daemon(sim).start()

/** Runs `work`; says what it took of the daemon, and per second how many of `count`. */
async function measure(what, count, work) {
  const pid = box.process.pid
  const [before, began, at] = [memory(pid), cpu(pid), process.hrtime.bigint()]
  let most = before.all
  let ended = false
  const watch = (async () => {
    while (!ended) {
      most = Math.max(most, memory(pid).all)
      await sleep(20)
    }
  })()
  await work()
  ended = true
  await watch
  const seconds = Number(process.hrtime.bigint() - at) / 1e9
  console.log(`${what.padEnd(44)} ${seconds.toFixed(2)} s (${(count / seconds).toFixed(1)}/s), CPU ${(cpu(pid) - began).toFixed(2)} s, ` +
    `resident ${before.all.toFixed(1)} MiB, at most +${(most - before.all).toFixed(1)}, after +${(memory(pid).all - before.all).toFixed(1)}`)
}

/** Statuses "sent" in the order in which they come, until every id of `ids` has one. */
async function allSent(ids) {
  const seen = []
  while (seen.length < ids.length) {
    const body = await box.nextWhere('a status', b => b.status === 'sent' || b.status === 'failed', 120_000)
    if (body.status === 'failed') throw new Error(JSON.stringify(body))
    if (ids.includes(body.idMessage)) seen.push(body.idMessage)
  }
  return seen
}

try {
  await box.link(sim)
  await box.call('setSettings', { delaySendMessagesMilliseconds: 500, autoTyping: 0 })
  const ida = (await sim.addAccount({ name: 'Ida' })).phone
  const chatId = `${ida}@c.us`
  await allSent([await box.send(chatId, 'hello')])

  await measure(`${files} files of 1 MB sent`, files, async () => {
    const ids = []
    for (let i = 0; i < files; i++) ids.push((await box.form('sendFileByUpload', { chatId }, randomBytes(MB), `${i}.bin`, 'application/octet-stream')).idMessage)
    await allSent(ids)
  })
  await measure(`${files} files of 1 MB received and downloaded`, files, async () => {
    for (let i = 0; i < files; i++) {
      const { id } = await sim.sendFile(ida, { to: box.phone, kind: 'document', mime: 'application/pdf', name: `${i}.pdf`, bytes: randomBytes(MB).toString('base64') })
      const body = await box.nextWhere('a file', b => b.idMessage === id)
      const got = await (await fetch(body.messageData.fileMessageData.downloadUrl)).arrayBuffer()
      if (got.byteLength !== MB) throw new Error(`${got.byteLength} bytes`)
    }
  })
  const document = randomBytes(large * MB)
  await measure(`a document of ${large} MB sent`, large, async () => {
    await allSent([(await box.form('sendFileByUpload', { chatId }, document, 'large.bin', 'application/octet-stream')).idMessage])
  })

  const chats = Array.from({ length: Math.ceil(history / 50) }, (_, i) => ({
    chat: String(4915560000000 + i),
    name: `Customer ${i}`,
    messages: Array.from({ length: 50 }, (_, n) => ({ from_me: n % 2 === 1, text: `message ${n} of ${i}, ${'x'.repeat(80)}`, at: 1_780_000_000 + i * 100 + n }))
  }))
  let bytes = 0
  await measure(`a history of ${history} messages`, history, async () => {
    ({ bytes } = await sim.request('POST', `/v1/accounts/${box.phone}/history`, { type: 0, chats }))
    await waitFor(() => box.log.includes(`messages=${history}`) || box.log.includes(`"messages":${history}`), 'the history is taken', 300_000)
  })
  console.log(`  its file had ${(bytes / 2 ** 20).toFixed(1)} MiB`)

  const people = [ida, ...await Promise.all(Array.from({ length: 9 }, async () => (await sim.addAccount({})).phone))]
  const kinds = [
    (to, i) => box.call('sendMessage', { chatId: to, message: `text ${i}` }),
    (to, i) => box.call('sendLocation', { chatId: to, latitude: 52.5, longitude: 13.4, nameLocation: `place ${i}` }),
    (to, i) => box.call('sendPoll', { chatId: to, message: `poll ${i}`, options: [{ optionName: 'a' }, { optionName: 'b' }] }),
    (to, i) => box.call('sendContact', { chatId: to, contact: { phoneContact: 4915550009999, firstName: `card ${i}` } }),
    (to, i) => box.form('sendFileByUpload', { chatId: to }, Buffer.from(`%PDF-1.7 ${i % 7}`), `${i % 7}.pdf`, 'application/pdf')
  ]
  const posted = new Map(people.map(phone => [phone, []]))
  await measure(`${mixed} mixed sends to ${people.length} chats`, mixed, async () => {
    await Promise.all(people.map(async (phone, person) => {
      for (let i = person; i < mixed; i += people.length) posted.get(phone).push((await kinds[i % kinds.length](`${phone}@c.us`, i)).idMessage)
    }))
    await allSent([...posted.values()].flat())
  })
  let [lost, doubled, order] = [0, 0, true]
  for (const [phone, ids] of posted) {
    const all = []
    for (let after = 0, more = true; more;) {
      const { messages } = await sim.request('GET', `/v1/peers/${phone}/inbox?after=${after}&wait=1`)
      all.push(...messages)
      more = messages.length > 0
      after = messages.at(-1)?.sequence
    }
    const got = all.map(m => m.id).filter(id => ids.includes(id))
    lost += ids.filter(id => !got.includes(id)).length
    doubled += got.length - new Set(got).size
    order &&= JSON.stringify(got) === JSON.stringify(ids)
  }
  console.log(`  lost ${lost}, doubled ${doubled}, in order: ${order}`)
} finally {
  await box.dispose()
  await sim.stop()
}
