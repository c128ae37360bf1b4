import { useState } from 'preact/hooks'
import { call } from '../api.js'
import { useText } from '../i18n.js'
import { Card, Field, Grave, Missing, masked, phoneOf, useAction, usePolled } from '../ui.jsx'

/** More would only make an old tablet slow; the search looks at all. */
const kShown = 200

function Job({ job, open, paused }) {
  const { t, time, has } = useText()
  const action = useAction()
  const cancel = () => action.run(() => call('deleteMessage', { body: { chatId: job.body.chatId, idMessage: job.messageID } }), t('queue.cancelled'))
  const phone = phoneOf(job.body.chatId)
  const text = job.body.message ?? job.body.caption ?? job.body.fileName ?? job.type ?? ''
  return (
    <li>
      <p><strong dir="ltr">{open ? phone : masked(phone)}</strong> {job.lane && <span class="tag">{has(`lane.${job.lane}`) ? t(`lane.${job.lane}`) : job.lane}</span>}</p>
      <p class="text" dir="auto">{open ? String(text).split('\n')[0] : '••••••'}</p>
      <p class="small">
        {paused ? t('verdict.held') : job.holdCause ? <span lang="en" dir="ltr">{job.holdCause}</span> : job.holdReason ? (has(`hold.${job.holdReason}`) ? t(`hold.${job.holdReason}`) : job.holdReason) : t('hold.none')}
        {!paused && job.notBefore && <> {t('queue.notBefore', { time: time(job.notBefore) })}</>}
        {' '}{t('queue.expires', { time: time(job.expiresAt) })}
      </p>
      <Grave label={t('queue.cancel')}>{() => (
        <button type="button" class="grave" disabled={action.busy} onClick={cancel}>{t('queue.cancelSure')}</button>
      )}</Grave>
      {action.line}
    </li>
  )
}

const lookUp = async () => {
  const [jobs, { paused }] = await Promise.all([call('showMessagesQueue'), call('getThrottleStatus')])
  return { jobs, paused }
}

export function Queue() {
  const { t } = useText()
  const state = usePolled(lookUp, 4000)
  const [open, setOpen] = useState(false)
  const [search, setSearch] = useState('')
  const clear = useAction()
  const { jobs, paused } = state.value ?? { jobs: [] }
  const found = jobs.filter(job => !search || JSON.stringify(job.body).toLowerCase().includes(search.toLowerCase()))
  return (
    <Card title={t('queue.title')}>
      <Missing state={state} />
      {state.value && <p role="status">{t('queue.count', { count: jobs.length })}</p>}
      {jobs.length > 0 && (
        <>
          <div class="row">
            <label class="check"><input type="checkbox" checked={open} onChange={e => setOpen(e.target.checked)} /> {t('queue.show')}</label>
          </div>
          <Field label={t('queue.search')} type="search" value={search} onInput={e => setSearch(e.target.value)} />
          <ul class="list">{found.slice(0, kShown).map(job => <Job key={job.messageID} job={job} open={open} paused={paused} />)}</ul>
          <Grave label={t('queue.clear')}>{close => (
            <>
              <p>{t('queue.sure', { count: jobs.length })}</p>
              <button type="button" class="grave" disabled={clear.busy} onClick={() => clear.run(() => call('clearMessagesQueue'), t('queue.cleared')).then(ok => ok && close())}>{t('queue.clear')}</button>
            </>
          )}</Grave>
        </>
      )}
      {clear.line}
    </Card>
  )
}
