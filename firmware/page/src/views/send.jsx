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

export function TestMessage({ done }) {
  const { t } = useText()
  const [number, setNumber] = useState('')
  const [text, setText] = useState(t('send.hello'))
  const [id, setId] = useState('')
  const action = useAction()
  const send = event => {
    event.preventDefault()
    action.run(async () => {
      setId('')
      const chatId = number.includes('@') ? number : `${number}@c.us`
      setId((await call('sendMessage', { body: { chatId, message: text } })).idMessage)
    })
  }
  return (
    <>
      <form onSubmit={send}>
        <Field label={t('send.to')} help={t('link.numberHelp')} type="tel" autocomplete="off" required dir="ltr" value={number} onInput={e => setNumber(e.target.value)} />
        <Field label={t('send.text')} rows="3" required dir="auto" value={text} onInput={e => setText(e.target.value)} />
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
      <TestMessage />
    </Card>
  )
}
