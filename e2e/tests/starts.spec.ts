import { expect, test } from '../fixtures/app';
import { SIZES } from '../fixtures/pages';

const HOME = '00000000-0000-7000-8000-0000000000a1';

/** A rule that notes the deals that a person or its timer brings. */
const NOTING = {
  format: 'crm-integrator/rule',
  version: 1,
  connections: [{ id: HOME, kind: 'amocrm', name: 'amoCRM', catalogue: {} }],
  rule: {
    name: 'Пометить сделки',
    source: HOME,
    triggers: [{ kind: 'manual' }],
    condition: { all: [] },
    actions: [{ do: 'add_note', connection: HOME, target: 'trigger', text: { template: 'отмечено' } }],
  },
};

for (const size of SIZES) {
  test.describe(`at ${size.width} px`, () => {
    test.beforeEach(async ({ signedIn }) => signedIn.setViewportSize(size));

    test('a rule gets a timer, is started by hand on a deal, and shows how it went', async ({ signedIn: page, app }) => {
      const deal = await app.sandbox.createDeal({ name: 'Инна Ручная', phone: '8 (999) 555-06-06', deal: 'Стол' });
      await page.goto('/rules');
      await page.getByTestId('import').click();
      await page.getByTestId('import-text').fill(JSON.stringify(NOTING));
      await page.getByTestId('import-yes').click();
      await page.getByTestId('open-imported').click();
      await page.getByTestId('triggers').locator('summary').click();
      await page.getByLabel('По расписанию').check();
      const schedule = page.getByTestId('schedule');
      await schedule.getByLabel('Выражение cron').fill('0 9 * * 1-5');
      await schedule.getByLabel('Не менявшиеся столько дней, 0 — все').fill('3');
      await expect(page.getByTestId('n-errors')).toHaveCount(0);
      await page.getByTestId('save-rule').click();
      await expect(page.getByTestId('draft-state')).toHaveText('Всё сохранено');
      await page.getByTestId('publish').click();
      await page.getByTestId('publish-yes').click();
      await expect(page.getByText('В работе версия 1')).toBeVisible();

      await page.getByTestId('tab-starts').click();
      await expect(page.getByTestId('next-tick')).toBeVisible();
      await page.getByTestId('start-ids').fill(`№${deal}`);
      await page.getByTestId('count-start').click();
      await expect(page.getByTestId('start-preview')).toContainText('1\u00a0запись');
      await page.getByTestId('start-yes').click();
      const sweep = page.getByTestId('sweep').first();
      await expect(sweep).toHaveAttribute('data-state', 'done', { timeout: 20_000 });
      await expect(sweep).toContainText('запущено 1');
      await expect.poll(async () => (await app.sandbox.deal(deal)).notes.map((note) => note.text), { timeout: 10_000 }).toContain('отмечено');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(size.width);
    });
  });
}
