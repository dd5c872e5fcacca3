#!/usr/bin/env bash
# Главный путь продукта через одни только HTTP API: сделка в amoCRM становится лидом в LPTracker, шаг лида
# двигает сделку обратно, а сервер после этого молчит. Объяснения — в docs/API-TOUR.md.
#
#   docs/api-tour.sh ССЫЛКА_ВХОДА           # одноразовая ссылка, которую печатает cargo xtask run
#   INTEGRATOR_KEY=int_… docs/api-tour.sh   # или готовый ключ API с правом «Чтение»
#
# HUB — адрес сервера (http://127.0.0.1:8080), WAIT — сколько секунд ждать каждого следствия (20).
# Нужны bash, curl и python3. Код возврата не 0, если хоть что-то не так, как должно быть.
set -euo pipefail
shopt -s inherit_errexit

HUB=${HUB:-http://127.0.0.1:8080}
WAIT=${WAIT:-20}
LINK=${1:-}
if [ -n "$LINK" ]; then
  HUB=${LINK%%/welcome*}
fi
# Доступ к песочнице: не секрет, те же значения записаны в настройках демонстрации.
AMOCRM_TOKEN=${AMOCRM_TOKEN:-$(sed -n 's/^amocrm_token = "\(.*\)"$/\1/p' \
  "$(dirname "${BASH_SOURCE[0]}")/../crates/server/src/config.default.toml")}
LPTRACKER_LOGIN=${LPTRACKER_LOGIN:-demo@example.ru}
LPTRACKER_PASSWORD=${LPTRACKER_PASSWORD:-demo-password}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf '\n── %s\n' "$*"; }
fail() { printf '\n✗ %s\n' "$*" >&2; exit 1; }

# Значение выражения Python над документом из стандартного ввода, который виден в нём как d.
pick() { python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
# То же для условия: завершается неудачей, если оно не выполнено.
holds() {
  local answer
  answer=$(pick "bool($1)") || fail "ответ не того вида, которого ждёт проверка: $1"
  [ "$answer" = True ]
}

hub() {
  local answer
  answer=$(curl -sS --fail-with-body -H "Authorization: Bearer $KEY" "$HUB/api/v1/$1") || fail "GET /api/v1/$1: $answer"
  printf '%s' "$answer"
}
# Обе CRM ограничивают число запросов в секунду, а сервер обращается к ним под теми же учётными данными. amoCRM
# отвечает 429 и просит подождать; LPTracker — кодом 503 внутри тела с HTTP 200.
amocrm() {
  local path=$1
  shift
  curl -sS --fail-with-body --retry 5 -H "Authorization: Bearer $AMOCRM_TOKEN" -H 'Content-Type: application/json' \
    "$AMOCRM/api/v4/$path" "$@"
}
lptracker() {
  local path=$1 answer
  shift
  for _ in 1 2 3 4 5; do
    answer=$(curl -sS --fail-with-body -H "token: ${LPTRACKER_TOKEN:-}" -H 'Content-Type: application/json' \
      "$LPTRACKER/$path" "$@") || fail "LPTracker, $path: $answer"
    if holds "d['status'] == 'success'" <<<"$answer"; then
      printf '%s' "$answer"
      return
    fi
    holds "any(error.get('code') == 503 for error in d['errors'])" <<<"$answer" || fail "LPTracker, $path: $answer"
    sleep 1
  done
  fail "LPTracker, $path: $answer"
}
sandbox() {
  local path=$1
  shift
  curl -sS --fail-with-body "$AMOCRM/_sandbox/$path" "$@"
}

# Повторяет запрос к серверу, пока условие над ответом не выполнится; ответ печатает.
await_hub() {
  local path=$1 condition=$2 what=$3 answer deadline=$((SECONDS + WAIT))
  while :; do
    answer=$(hub "$path")
    if holds "$condition" <<<"$answer"; then
      printf '%s' "$answer"
      return
    fi
    [ "$SECONDS" -lt "$deadline" ] || fail "за $WAIT с не дождались: $what. Последний ответ: $answer"
    sleep 0.2
  done
}

step 'Где песочница'
session=$(curl -sS --fail-with-body "$HUB/api/v1/session") || fail "сервер $HUB не отвечает: $session"
holds "d['demo'] and len(d['sandbox_urls']) == 2" <<<"$session" \
  || fail "сервер $HUB запущен не в режиме демонстрации: cargo xtask run"
AMOCRM=$(pick "d['sandbox_urls'][0]['url'].rstrip('/')" <<<"$session")
LPTRACKER=$(pick "d['sandbox_urls'][1]['url'].rstrip('/')" <<<"$session")
echo "amoCRM $AMOCRM, LPTracker $LPTRACKER"

step 'Ключ API'
KEY=${INTEGRATOR_KEY:-}
if [ -z "$KEY" ]; then
  [ -n "$LINK" ] || fail 'передайте ссылку входа первым аргументом или ключ в INTEGRATOR_KEY'
  browser() {
    curl -sS --fail-with-body -b "$work/cookies" -c "$work/cookies" -H 'X-Requested-With: integrator' \
      -H 'Content-Type: application/json' "$@"
  }
  browser "$HUB/api/v1/session/link" -d "{\"token\": \"${LINK#*#}\"}" >"$work/session"
  made=$(browser "$HUB/api/v1/api-keys" -H "Idempotency-Key: api-tour-$$-$SECONDS-$RANDOM" \
    -d '{"name": "Прогулка по API", "scopes": ["read"], "expires_in_days": 1}')
  KEY=$(pick "d['secret']" <<<"$made")
fi
workspace=$(hub workspace)
pick "'кабинет «' + d['name'] + '», пояс ' + d['zone']" <<<"$workspace"

step 'Правила кабинета'
rules=$(hub rules)
holds "sum(1 for rule in d['items'] if rule['enabled'] and rule.get('published_number')) >= 4" <<<"$rules" \
  || fail "в демонстрации должны действовать четыре правила: $rules"
pick "'\n'.join(f\"{rule['name']}: {rule['summary']}\" for rule in d['items'])" <<<"$rules"

step 'amoCRM: контакт с телефоном и сделка'
stages=$(amocrm leads/pipelines)
stage() {
  pick "next(s['id'] for p in d['_embedded']['pipelines'] if p['name'] == 'Продажи'
    for s in p['_embedded']['statuses'] if s['name'] == '$1')" <<<"$stages"
}
PHONE=+7999$(printf '%07d' $((($(date +%s) + RANDOM) % 10000000)))
contact=$(amocrm contacts -d "[{\"name\": \"Павел Прогулкин\", \"custom_fields_values\": [
  {\"field_code\": \"PHONE\", \"values\": [{\"value\": \"$PHONE\", \"enum_code\": \"MOB\"}]}]}]" |
  pick "d['_embedded']['contacts'][0]['id']")
deal=$(amocrm leads -d "[{\"name\": \"Окна в дом\", \"price\": 64000, \"status_id\": $(stage 'Новая заявка'),
  \"_embedded\": {\"contacts\": [{\"id\": $contact}]}}]" | pick "d['_embedded']['leads'][0]['id']")
echo "контакт $contact ($PHONE), сделка $deal"

step 'Сделка переходит на этап «Передано в обзвон»'
amocrm "leads/$deal" -X PATCH -d "{\"status_id\": $(stage 'Передано в обзвон')}" >"$work/moved"

step 'Событие сервера и лид LPTracker'
events=$(await_hub "events?record_kind=deal&record=$deal&kind=deal_stage_changed" \
  "d['items'] and d['items'][0]['state'] == 'dispatched' and d['items'][0]['delivery_counts']['delivered'] == 1" \
  'событие «Этап сделки изменён» с одной выполненной доставкой')
event=$(pick "d['items'][0]['id']" <<<"$events")
story=$(hub "events/$event")
holds "[run for run in d['runs'] if run['outcome'] == 'matched' and run['n_commands'] == 1]" <<<"$story" \
  || fail "ни одно правило не подошло к событию $event"
pick "'\n'.join(f\"{run['rule_name']}: {run['outcome']}\" for run in d['runs'])" <<<"$story"
pick "'\n'.join(f\"{x['method']} {x['url']} → {x['status']} за {x['duration_ms']} мс\"
  for delivery in d['deliveries'] for attempt in delivery['attempts'] for x in attempt['exchanges'])" <<<"$story"
links=$(hub "links?record=$deal")
holds "len(d['items']) == 1" <<<"$links" || fail "у сделки должна быть ровно одна связь: $links"
lead=$(pick "d['items'][0]['lead']['id']" <<<"$links")
lead_contact=$(pick "d['items'][0]['lead_contact']['id']" <<<"$links")
echo "лид $lead"

step 'LPTracker: тот же лид глазами его API'
signed_in=$(lptracker login -d "{\"login\": \"$LPTRACKER_LOGIN\", \"password\": \"$LPTRACKER_PASSWORD\",
  \"service\": \"api-tour\", \"version\": \"1.0\"}")
LPTRACKER_TOKEN=$(pick "d['result']['token']" <<<"$signed_in")
card=$(lptracker "lead/$lead")
pick "json.dumps({field['name']: field.get('value') for field in d['result']['custom']}, ensure_ascii=False)" <<<"$card"
holds "any(field['name'] == 'ID сделки amoCRM' and str(field.get('value')) == '$deal'
  for field in d['result']['custom'])" <<<"$card" || fail "в лиде нет номера сделки: $card"
leads=$(lptracker "contact/$lead_contact/leads")
holds "len(d['result']) == 1" <<<"$leads" \
  || fail "у контакта $lead_contact должен быть ровно один лид"

step 'Лид переходит на шаг «Интерес подтвержден»'
project=$(pick "d['result']['contact']['project_id']" <<<"$card")
steps=$(lptracker "project/$project/funnel")
interest=$(pick "next(s['id'] for s in d['result'] if s['name'] == 'Интерес подтвержден')" <<<"$steps")
lptracker "lead/$lead/funnel" -X PUT -d "{\"funnel\": $interest}" >"$work/stepped"

step 'Сделка следует за лидом'
await_hub "events?record_kind=lead&record=$lead&kind=lead_stage_changed" \
  "d['items'] and d['items'][0]['state'] == 'dispatched' and d['items'][0]['delivery_counts']['delivered'] == 2" \
  'событие «Шаг лида изменён» с двумя выполненными доставками' >"$work/back"
holds "d['status_id'] == $(stage 'Подтверждён')" <<<"$(amocrm "leads/$deal")" || fail 'этап сделки не изменился'
notes=$(amocrm "leads/$deal/notes")
holds "len(d['_embedded']['notes']) == 1" <<<"$notes" || fail "у сделки должно быть ровно одно примечание: $notes"
pick "d['_embedded']['notes'][0]['params']['text']" <<<"$notes"

step 'Наши изменения вернулись вебхуками и узнаны; новых записей нет ни на одной стороне'
seen=$(sandbox 'journal?limit=0' | pick "d['last_seq']")
sandbox webhooks/idle -X POST >"$work/idle"
await_hub 'events?state=new' "not d['items']" 'разбор всех событий' >"$work/new"
await_hub panel "d['n_waiting'] == 0" 'конец всех доставок' >"$work/panel"
echoes=$(hub 'events?state=echo')
holds "[event for event in d['items'] if event['record']['id'] == '$deal']" <<<"$echoes" \
  || fail "эхо нашего изменения сделки не записано: $echoes"
writes=$(sandbox "journal?since=$seen&writes=true")
holds "d['entries'] == []" <<<"$writes" || fail "после конца пути были ещё записи: $writes"
holds "len(d['items']) == 1" <<<"$(hub "links?record=$deal")" || fail 'связей стало больше одной'

printf '\n✓ Всё так, как должно быть: сделка %s ↔ лид %s\n  %s/events/%s\n' "$deal" "$lead" "$HUB" "$event"
