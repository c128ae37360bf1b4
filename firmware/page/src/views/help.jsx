import { useText } from '../i18n.js'
import { Card } from '../ui.jsx'

const lights = ['starting', 'unlinked', 'on', 'searching', 'clockless', 'careful', 'restricted', 'stopped', 'fault']
const levels = ['green', 'amber', 'yellow', 'red', 'black']
const holds = ['pace', 'chat_gap', 'hour_cap', 'day_cap', 'opening_cap', 'unanswered', 'budget_30d', 'same_text', 'quiet_hours', 'checking_number', 'check_budget',
  'reply_ratio', 'yellow', 'red', 'offline', 'reconnect_ramp', 'double_post', 'preparing']
const presses = ['show', 'network', 'settings', 'everything']

export function Help() {
  const { t } = useText()
  return (
    <>
      <Card title={t('help.light')}>
        <dl class="lights">{lights.map(kind => (
          <div key={kind}><dt><span class={`lamp ${kind}`} aria-hidden="true" /> {t(`light.${kind}`)}</dt><dd>{t(`help.${kind}`)}</dd></div>
        ))}</dl>
      </Card>
      <Card title={t('help.button')}>
        <dl class="lights">{presses.map(kind => <div key={kind}><dt>{t(`press.${kind}`)}</dt><dd>{t(`pressed.${kind}`)}</dd></div>)}</dl>
      </Card>
      <Card title={t('help.levels')}>
        <ul>{levels.map(level => <li key={level}>{t(`level.${level}`)}</li>)}</ul>
      </Card>
      <Card title={t('help.holds')}>
        <ul>{holds.map(hold => <li key={hold}>{t(`hold.${hold}`)}</li>)}</ul>
      </Card>
      <Card title={t('help.password')}><p>{t('help.forgot')}</p></Card>
    </>
  )
}
