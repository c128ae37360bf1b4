import { useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, Grave, Missing, masked, phoneOf, useAction, usePolled } from '../ui.jsx'

function Change({ chat, method, label, done }) {
  const { t } = useText()
  const [number, setNumber] = useState('')
  const [who, setWho] = useState('')
  const [reason, setReason] = useState('')
  const action = useAction()
  const send = event => {
    event.preventDefault()
    const chatId = chat ?? (number.includes('@') ? number : `${number}@c.us`)
    action.run(() => call(method, { body: { chatId, who, reason } }).then(() => { setNumber(''); done() }), t('saved'))
  }
  return (
    <form onSubmit={send}>
      {!chat && <Field label={t('send.to')} help={t('link.numberHelp')} type="tel" required autocomplete="off" dir="ltr" value={number} onInput={e => setNumber(e.target.value)} />}
      <Field label={t('who')} required autocomplete="name" value={who} onInput={e => setWho(e.target.value)} />
      <Field label={t('reason')} required autocomplete="off" value={reason} onInput={e => setReason(e.target.value)} />
      <button disabled={action.busy}>{label}</button>
      {action.line}
    </form>
  )
}

export function OptOut() {
  const { t, time } = useText()
  const [round, setRound] = useState(0)
  const [open, setOpen] = useState(false)
  const list = usePolled(() => call('getOptOuts'), 15_000, round)
  const again = () => setRound(round + 1)
  return (
    <>
      <Card title={t('optout.title')}>
        <p>{t('optout.what')}</p>
        <Missing state={list} />
        {list.value?.length === 0 && <p>{t('optout.empty')}</p>}
        {list.value?.length > 0 && <label class="check"><input type="checkbox" checked={open} onChange={e => setOpen(e.target.checked)} /> {t('optout.show')}</label>}
        <ul class="list">{(list.value ?? []).map(one => (
          <li key={one.chatId}>
            <p><strong dir="ltr">{open ? phoneOf(one.chatId) : masked(phoneOf(one.chatId))}</strong> · {time(one.since)} · {one.byOperator ? t('optout.byShop') : t('optout.byCustomer')}</p>
            <Grave label={t('optout.remove')}>{() => <Change chat={one.chatId} method="removeOptOut" label={t('optout.remove')} done={again} />}</Grave>
          </li>
        ))}</ul>
      </Card>
      <Card title={t('optout.addTitle')}><Change method="addOptOut" label={t('optout.add')} done={again} /></Card>
    </>
  )
}
