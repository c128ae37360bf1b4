import { useEffect, useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, useAction, usePolled } from '../ui.jsx'

const kOrder = ['sent', 'delivered', 'read', 'failed', 'noAccount', 'yellowCard']

/** How far a message has come: what the till would be told of it, else why it waits. */
function Progress({ id, done }) {
  const { t, time, has } = useText()
  const state = usePolled(async () => {
    const { events } = await call('watchEvents', { query: '?after=0' })
    const statuses = events.map(one => one.event).filter(one => one?.typeWebhook === 'outgoingMessageStatus' && one.idMessage === id)
    const latest = statuses.sort((a, b) => kOrder.indexOf(a.status) - kOrder.indexOf(b.status)).pop()
    if (latest) return { status: latest.status, why: latest.description }
    const job = (await call('showMessagesQueue')).find(one => one.messageID === id)
    return { status: 'waiting', hold: job?.holdReason, until: job?.notBefore }
  }, 1500)
  const now = state.value
  useEffect(() => { if (['sent', 'delivered', 'read'].includes(now?.status)) done?.() }, [now?.status])
  if (!now) return <p role="status">{t('loading')}</p>
  const bad = ['failed', 'noAccount', 'yellowCard'].includes(now.status)
  return (
    <p class={bad ? 'result bad' : now.status === 'waiting' ? 'result' : 'result good'} role="status">
      {t(`progress.${now.status}`)}
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
      call('canSend', { body: { chatId: chatOf(number) } }).then(answer => { if (!over) setTold(answer) }, () => {})
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
      {told.canSend ? told.reason === 'none' ? t('send.atOnce') : why : t('send.notNow')}
      {told.earliest && <> {t('queue.notBefore', { time: time(told.earliest) })}</>}
    </p>
  )
}

export function TestMessage({ done, withFile }) {
  const { t } = useText()
  const [number, setNumber] = useState('')
  const [text, setText] = useState(t('send.hello'))
  const [file, setFile] = useState(null)
  const [id, setId] = useState('')
  const action = useAction()
  const post = () => {
    const chatId = chatOf(number)
    if (!file) return call('sendMessage', { body: { chatId, message: text } })
    const form = new FormData()
    for (const [name, value] of [['chatId', chatId], ['caption', text], ['fileName', file.name], ['file', file]]) form.append(name, value)
    return call('sendFileByUpload', { body: form })
  }
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      setId('')
      setId((await post()).idMessage)
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
        {action.line}
      </form>
      {id && <Progress key={id} id={id} done={done} />}
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
