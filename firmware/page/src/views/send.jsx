import { useEffect, useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, Missing, useAction, usePolled, useUpload } from '../ui.jsx'

const kGood = ['sent', 'delivered', 'read']
const kBad = ['failed', 'noAccount', 'notInGroup', 'yellowCard']

/** What the till is told of it, which may be nothing: the furthest status and its reason. */
async function told(id) {
  const rank = event => [...kGood, ...kBad].indexOf(event.status)
  const { events } = await call('watchEvents', { query: '?after=0' })
  const own = events.map(one => one.event).filter(one => one?.typeWebhook === 'outgoingMessageStatus' && one.idMessage === id)
  return own.sort((a, b) => rank(a) - rank(b)).pop()
}

/** The journal's word; null: it does not know the message, or there is no journal. */
async function kept(chatId, idMessage) {
  try {
    return (await call('getMessage', { body: { chatId, idMessage } })).statusMessage
  } catch (error) {
    if (error.status !== 400) throw error
    return null
  }
}

/** How far a message has come, by the journal, which every status goes into; else why it waits. */
async function progressOf(chatId, id) {
  const status = await kept(chatId, id)
  if (kGood.includes(status)) return { status }
  const event = status === 'pending' ? null : await told(id)
  if (status === 'pending' || !(status || event)) {
    const [jobs, { paused }] = await Promise.all([call('showMessagesQueue'), call('getThrottleStatus')])
    const job = jobs.find(one => one.messageID === id)
    if (job && paused) return { status: 'waiting', paused }
    if (job || status) return { status: 'waiting', hold: job?.holdReason, until: job?.notBefore }
    return { status: 'gone' }
  }
  return { status: status ?? event.status, why: event?.description }
}

function Progress({ chatId, id, done }) {
  const { t, time, has } = useText()
  const state = usePolled(() => progressOf(chatId, id), 1500)
  const now = state.value
  useEffect(() => { if (kGood.includes(now?.status)) done?.() }, [now?.status])
  if (!now) return <Missing state={state} />
  return (
    <p class={kBad.includes(now.status) ? 'result bad' : kGood.includes(now.status) ? 'result good' : 'result'} role="status">
      {t(`progress.${now.status}`)}
      {now.paused && <> {t('verdict.held')}</>}
      {now.hold && <> {has(`hold.${now.hold}`) ? t(`hold.${now.hold}`) : now.hold}</>}
      {now.until && <> {t('queue.notBefore', { time: time(now.until) })}</>}
      {now.why && <> <span lang="en" dir="ltr">{now.why}</span></>}
    </p>
  )
}

const chatOf = number => number.includes('@') ? number : `${number}@c.us`

/** What the pace would do with a message to this number; nothing is sent, asked or counted. */
function Outlook({ number }) {
  const { t, time, has } = useText()
  const [told, setTold] = useState(null)
  useEffect(() => {
    setTold(null)
    if (number.replace(/\D/g, '').length < 8) return
    let over = false
    const timer = setTimeout(() => {
      // The pace knows of no pause: it is somebody's wish and not a rule.
      Promise.all([call('canSend', { body: { chatId: chatOf(number) } }), call('getThrottleStatus')])
        .then(([answer, { paused }]) => { if (!over) setTold({ ...answer, paused }) }, () => {})
    }, 700)
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [number])
  if (!told) return <p class="small" role="status" />
  const why = told.reason && has(`hold.${told.reason}`) ? t(`hold.${told.reason}`) : told.reason
  return (
    <p class="small" role="status">
      {has(`lane.${told.lane}`) && <span class="tag">{t(`lane.${told.lane}`)}</span>}{' '}
      {!told.canSend ? t('send.notNow') : told.paused ? t('verdict.held') : told.reason === 'none' ? t('send.atOnce') : why}
      {told.earliest && !told.paused && <> {t('queue.notBefore', { time: time(told.earliest) })}</>}
    </p>
  )
}

export function TestMessage({ done, withFile }) {
  const { t } = useText()
  const [number, setNumber] = useState('')
  const [text, setText] = useState(t('send.hello'))
  const [file, setFile] = useState(null)
  const [sent, setSent] = useState(null)
  const action = useAction()
  const { upload, line } = useUpload()
  const post = chatId => {
    if (!file) return call('sendMessage', { body: { chatId, message: text } })
    const form = new FormData()
    for (const [name, value] of [['chatId', chatId], ['caption', text], ['fileName', file.name], ['file', file]]) form.append(name, value)
    return upload('sendFileByUpload', form)
  }
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      setSent(null)
      const chatId = chatOf(number)
      setSent({ chatId, id: (await post(chatId)).idMessage })
    })
  }
  return (
    <>
      <form onSubmit={send}>
        <Field label={t('send.to')} help={t('link.numberHelp')} type="tel" autocomplete="off" required dir="ltr" value={number} onInput={e => setNumber(e.target.value)} />
        <Outlook number={number} />
        <Field label={t('send.text')} rows="3" required={!file} dir="auto" value={text} onInput={e => setText(e.target.value)} />
        {withFile && <Field label={t('send.file')} type="file" onChange={e => setFile(e.target.files[0] ?? null)} />}
        <button disabled={action.busy}>{t('send.go')}</button>
        {line}
        {action.line}
      </form>
      {sent && <Progress key={sent.id} {...sent} done={done} />}
    </>
  )
}

export function Send() {
  const { t } = useText()
  return (
    <Card title={t('send.title')}>
      <p>{t('send.pace')}</p>
      <TestMessage withFile />
    </Card>
  )
}
