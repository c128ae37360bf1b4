import { useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Copy, Field, Missing, masked, phoneOf, useAction, usePolled } from '../ui.jsx'

const kShown = 200
const kTicks = { pending: '…', sent: '✓', delivered: '✓✓', read: '✓✓', failed: '✕', noAccount: '✕', notInGroup: '✕', yellowCard: '✕' }

const lookUp = minutes => async () => {
  const query = `?minutes=${minutes}`
  const [came, went] = await Promise.all([call('lastIncomingMessages', { query }), call('lastOutgoingMessages', { query })])
  return [...came, ...went].sort((a, b) => b.timestamp - a.timestamp)
}

const wordsOf = one => one.textMessage || one.caption || one.fileName || one.typeMessage || ''

function Message({ one, open }) {
  const { t, time, has } = useText()
  const action = useAction()
  const failed = one.type === 'outgoing' && kTicks[one.statusMessage] === '✕'
  const again = () => action.run(() => call('sendMessage', { body: { chatId: one.chatId, message: one.textMessage } }), t('messages.again.done'))
  const status = one.statusMessage && (has(`ticks.${one.statusMessage}`) ? t(`ticks.${one.statusMessage}`) : one.statusMessage)
  return (
    <li>
      <p>
        <strong dir="ltr">{open ? phoneOf(one.chatId) : masked(phoneOf(one.chatId))}</strong>{' '}
        <span class="tag">{t(one.type === 'outgoing' ? 'messages.went' : 'messages.came')}</span>
      </p>
      <p class="text" dir="auto">{open ? String(wordsOf(one)).split('\n')[0] : '••••••'}</p>
      <p class={failed ? 'small bad' : 'small'}>
        {time(one.timestamp)}
        {status && <> · <span class={failed ? 'sign' : ''}><span aria-hidden="true">{kTicks[one.statusMessage] ?? ''}</span> {status}</span></>}
      </p>
      {open && <Copy label="idMessage" value={one.idMessage} />}
      {failed && one.textMessage && <button type="button" class="quiet" disabled={action.busy} onClick={again}>{t('messages.again')}</button>}
      {action.line}
    </li>
  )
}

export function Messages() {
  const { t } = useText()
  const [minutes, setMinutes] = useState(60)
  const [open, setOpen] = useState(false)
  const [search, setSearch] = useState('')
  const state = usePolled(lookUp(minutes), 10_000, String(minutes))
  const all = state.value ?? []
  const found = all.filter(one => !search || `${one.chatId} ${wordsOf(one)} ${one.idMessage}`.toLowerCase().includes(search.toLowerCase()))
  return (
    <Card title={t('messages.title')}>
      <div class="row">
        <label class="pick"><span class="unseen">{t('messages.since')}</span>
          <select value={minutes} onChange={e => setMinutes(Number(e.target.value))}>
            <option value={60}>{t('messages.hour')}</option>
            <option value={1440}>{t('messages.day')}</option>
          </select>
        </label>
        <label class="check"><input type="checkbox" checked={open} onChange={e => setOpen(e.target.checked)} /> {t('queue.show')}</label>
      </div>
      <Missing state={state} />
      {state.value && <p role="status">{t('messages.count', { count: all.length })}</p>}
      {all.length > 0 && <Field label={t('queue.search')} type="search" value={search} onInput={e => setSearch(e.target.value)} />}
      <ul class="list">{found.slice(0, kShown).map(one => <Message key={`${one.type}${one.idMessage}`} one={one} open={open} />)}</ul>
      {found.length > kShown && <p class="small">{t('messages.more', { count: kShown })}</p>}
    </Card>
  )
}
