import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/app';
import { settled, somethingToLookAt } from '../fixtures/pages';

test('an open list grows by itself, told by one stream', async ({ signedIn: page, app }) => {
  const streams: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/api/v1/stream')) streams.push(request.url());
  });
  await page.goto('/events');
  await settled(page);
  await expect.poll(() => streams.length).toBe(1);
  await app.sandbox.createDeal({ name: 'Живой Тест', phone: '+79995550202', deal: 'Сама пришла' });
  await expect(page.getByTestId('row').filter({ hasText: 'Сама пришла' }).first()).toBeVisible();
  await page.getByRole('link', { name: 'Подключения' }).first().click();
  await settled(page);
  expect(streams, 'pages share the stream of the tab').toHaveLength(1);
});

test('the list of events is filtered and sorted in the address', async ({ signedIn: page, app }) => {
  await somethingToLookAt(app);
  await page.goto('/events');
  await page.getByTestId('filter-phone').fill('8 (999) 555-01-01');
  await page.getByTestId('filter-phone').press('Enter');
  await expect(page).toHaveURL(/phone=8/);
  await expect(page.getByTestId('row').first()).toBeVisible();
  await page.goto('/events?phone=%2B79990000000');
  await expect(page.getByTestId('empty')).toBeVisible();

  await page.goto('/events');
  const when = page.getByRole('columnheader', { name: 'Когда' });
  await expect(when).toHaveAttribute('aria-sort', 'descending');
  const newest = await page.getByTestId('row').first().getAttribute('data-id');
  await when.getByRole('button').click();
  await expect(page).toHaveURL(/sort=when/);
  await expect(when).toHaveAttribute('aria-sort', 'ascending');
  await expect(page.getByTestId('row').first()).not.toHaveAttribute('data-id', newest!);
});

test('columns are chosen once and stay chosen', async ({ signedIn: page, app }) => {
  await somethingToLookAt(app);
  await page.goto('/events');
  const source = page.getByRole('columnheader', { name: 'Источник' });
  await expect(source).toBeVisible();
  await page.getByText('Столбцы').click();
  await page.getByRole('checkbox', { name: 'Источник' }).uncheck();
  await expect(source).toBeHidden();
  await page.reload();
  await settled(page);
  await expect(page.getByRole('columnheader', { name: 'Когда' })).toBeVisible();
  await expect(source).toBeHidden();
});

test('the chronicle tells one deal across both CRMs with causes', async ({ signedIn: page, app }) => {
  const deal = await somethingToLookAt(app);
  await page.goto('/chronicle');
  await page.getByTestId('chronicle-search').fill(String(deal));
  await page.getByRole('button', { name: 'Найти', exact: true }).click();
  const entries = page.getByTestId('chronicle-entry');
  await expect(entries.filter({ hasText: 'Этап сделки изменён' }).first()).toBeVisible();
  await expect(entries.filter({ hasText: 'Шаг лида изменён' }).first()).toBeVisible();
  await expect(page.getByTestId('chronicle')).toContainText('Сделка передана в обзвон');
  const echo = page.locator('[data-testid="chronicle-entry"][data-state="echo"]').first();
  await expect(echo).toContainText('эхо нашей записи по событию');
  const n = await entries.count();
  await page.getByTestId('chronicle-search').fill('8 999 555 01 01');
  await page.getByTestId('chronicle-search').press('Enter');
  await expect(page).toHaveURL(/phone=/);
  await expect(entries).toHaveCount(n);
});

test('emergency stop holds everything back until a person goes on', async ({ signedIn: page, app }) => {
  const { sandbox } = app;
  await page.getByTestId('stop-all').click();
  await page.getByTestId('stop-reason').fill('проверяем остановку');
  await page.getByTestId('stop-now').click();
  const banner = page.getByTestId('stop-banner');
  await expect(banner).toContainText('проверяем остановку');
  const deal = await sandbox.createDeal({ name: 'Стоп Тест', phone: '+79995550303', deal: 'Ждёт' });
  const before = await sandbox.lastSeq();
  await sandbox.moveDeal(deal, 'Передано в обзвон');
  await sandbox.webhooksDelivered();
  await page.goto('/events');
  await expect(page.getByTestId('row').filter({ hasText: 'Ждёт' }).first()).toBeVisible();
  expect(await sandbox.journal(before, { writes: true, side: 'lptracker' })).toEqual([]);
  await page.getByTestId('go-on').click();
  await expect(banner).toHaveCount(0);
  await expect.poll(async () => (await sandbox.leads()).filter((lead) => lead.phone?.endsWith('9995550303')).length).toBe(1);
});

test('one rule is stopped and started from the list', async ({ signedIn: page }) => {
  await page.goto('/rules');
  const row = page.getByTestId('row').first();
  await row.getByTestId('rule-stop').click();
  await expect(row).toContainText('Остановлено');
  await expect(page.getByTestId('stop-banner')).toContainText('1 правило');
  await row.getByTestId('rule-stop').click();
  await expect(page.getByTestId('stop-banner')).toHaveCount(0);
});

test('the palette leads anywhere by the keyboard', async ({ signedIn: page }) => {
  await page.keyboard.press('Control+k');
  const input = page.getByTestId('palette-input');
  await expect(input).toBeFocused();
  await input.fill('логи');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/logs$/);
  await page.keyboard.press('Control+k');
  await page.getByTestId('palette-input').fill('+7 999 555 01 01');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/chronicle\?phone=/);
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('palette-dialog')).toBeHidden();
});

test('any rule answers why it did nothing', async ({ signedIn: page, app }) => {
  await app.sandbox.createDeal({ name: 'Почему Тест', phone: '+79995550404', deal: 'Без правил' });
  await open(page, 'Без правил');
  await page.getByTestId('why-rule').selectOption({ label: 'Недозвон → задача менеджеру' });
  await expect(page).toHaveURL(/rule=/);
  await expect(page.getByTestId('why-answer')).toBeVisible();
});

test('a link is corrected by hand', async ({ signedIn: page, app }) => {
  const deal = await somethingToLookAt(app);
  await page.goto(`/chronicle?record=${deal}`);
  await page.getByRole('button', { name: 'Исправить связь' }).click();
  await page.getByTestId('link-lead').fill('не номер!');
  await page.getByTestId('save-link').click();
  await expect(page.getByTestId('link-dialog').getByRole('alert')).toContainText('Номер записи');
  await page.getByTestId('link-lead').fill('777');
  await page.getByTestId('save-link').click();
  await expect(page.getByTestId('link-dialog')).toBeHidden();
  await expect(page.getByTestId('link')).toContainText('777');
});

test('setting up is shown step by step', async ({ signedIn: page, app }) => {
  await somethingToLookAt(app);
  await page.goto('/connections');
  await page.getByTestId('connection-card').first().getByRole('heading').getByRole('link').click();
  const steps = page.getByTestId('setup-step');
  await expect(steps).toHaveCount(4);
  await expect(page.locator('[data-testid="setup-step"][data-tone="good"]')).toHaveCount(4);
});

/** Opens the event of the record with this name. */
async function open(page: Page, name: string): Promise<void> {
  await page.goto('/events');
  await page.getByTestId('row').filter({ hasText: name }).first().getByRole('link').first().click();
  await expect(page.getByTestId('event')).toBeVisible();
}

test('main pages are what they say to those who hear them', async ({ signedIn: page, app }) => {
  await somethingToLookAt(app);
  await page.goto('/');
  await settled(page);
  await expect(page.getByRole('navigation', { name: 'Главное меню' })).toMatchAriaSnapshot(`
    - navigation "Главное меню":
      - list:
        - listitem:
          - link "Панель управления"
        - listitem:
          - link "Подключения"
        - listitem:
          - link "Конструктор правил"
        - listitem:
          - link "События"
        - listitem:
          - link "Хроника сделки"
        - listitem:
          - link "Недоставленное"
  `);
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "Панель управления" [level=1]
      - tablist "Период":
        - tab "Час"
        - tab "Сутки" [selected]
        - tab "7 дней"
        - tab "30 дней"
  `);
  await page.goto('/events');
  await settled(page);
  await expect(page.getByRole('table', { name: 'События' })).toMatchAriaSnapshot(`
    - table "События":
      - rowgroup:
        - row:
          - columnheader "Когда"
          - columnheader "Событие"
          - columnheader "Источник"
          - columnheader "Состояние"
          - columnheader "Действия"
  `);
  await page.goto('/chronicle?phone=%2B79995550101');
  await settled(page);
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "Хроника сделки" [level=1]
      - search:
        - searchbox "Номер сделки, лида или телефон"
        - button "Найти"
      - heading "Записи" [level=2]
  `);
});
