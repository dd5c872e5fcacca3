import type { Page } from '@playwright/test';
import type { App } from '../fixtures/app';
import { expect, test } from '../fixtures/app';
import { SIZES, settled } from '../fixtures/pages';

const PHONE = '79995550808';

for (const size of SIZES) {
  test.describe(`at ${size.width} px`, () => {
    // Signing in looks for the menu, which a phone keeps folded.
    test.beforeEach(async ({ signedIn }) => signedIn.setViewportSize(size));

    test('a file of calls reaches amoCRM once, its bad row by a corrected file', async ({ signedIn: page, app }) => {
      test.setTimeout(120_000);
      const deal = await linkedDeal(app);
      await readyRule(page);

      const rows = [
        ['8 (999) 555-08-08', '24.11.2026 10:00', '65', 'Заинтересован', 'Иванова', 'https://records.lptracker.ru/1.mp3'],
        ['не помню', '24.11.2026 10:05', '12', 'Отказ', 'Иванова', ''],
      ];
      await page.goto('/imports');
      await drop(page, 'звонки.csv', csv(rows));
      await expect(page).toHaveURL(/\/imports\/[0-9a-f-]{36}/);
      await expect(page.getByTestId('column')).toHaveCount(6);
      await expect(page.getByLabel('Что в столбце «Телефон»')).toHaveValue('call.phone');
      await fits(page, size.width);
      await page.getByTestId('check').click();

      await expect(page.getByTestId('report')).toContainText('С ошибками');
      await expect(figure(page, 'Будет загружено')).toContainText('1');
      await expect(page.getByTestId('column-errors')).toContainText('Телефон — 1 ошибка');
      await fits(page, size.width);
      await page.getByTestId('start').click();
      await expect(page.getByTestId('outcome')).toContainText('Выполнено 1, повторов 0, пропущено 0, ошибок 1.');
      await fits(page, size.width);

      const download = page.waitForEvent('download');
      await page.getByTestId('failed-rows').click();
      expect((await download).suggestedFilename()).toBe('звонки — ошибки.xlsx');
      // The very workbook comes back: its mapping is remembered, the column of reasons is passed over.
      await page.goto('/imports');
      await page.getByTestId('files').setInputFiles(await (await download).path());
      await expect(page.getByTestId('column')).toHaveCount(7);
      await expect(page.getByLabel('Что в столбце «Оператор»')).toHaveValue('call.operator');
      await expect(page.getByLabel('Что в столбце «Ошибка»')).toHaveValue('');
      await page.getByTestId('check').click();
      await correct(page, '8 (999) 555-08-09');
      await page.getByTestId('start').click();
      await expect(page.getByTestId('outcome')).toContainText('Выполнено 1, повторов 0, пропущено 0, ошибок 0.');

      // The whole file once more: nothing is done twice.
      await page.goto('/imports');
      await drop(page, 'звонки.csv', csv([rows[0]!]));
      await page.getByTestId('check').click();
      await expect(figure(page, 'Повторы')).toContainText('1');

      await page.goto('/calls');
      await settled(page);
      const row = page.getByTestId('calls').getByTestId('row').filter({ hasText: `+${PHONE}` });
      await expect(page.getByTestId('calls').getByTestId('row')).toHaveCount(2);
      await expect(row).toContainText('Заинтересован');
      await expect(row.getByTestId('sync')).toHaveText('Синхронизировано');
      await expect(row.getByTestId('play')).toBeVisible();
      await fits(page, size.width);
      const calls = async () => (await app.sandbox.deal(deal)).notes.filter((note) => note.type.startsWith('call_'));
      await expect.poll(async () => (await calls()).length).toBe(1);
      const [written] = (await app.sandbox.journal(0, { side: 'amocrm', writes: true })).filter((entry) =>
        entry.body.includes('https://records.lptracker.ru/1.mp3'),
      );
      expect(written?.status, 'the recording went with the note').toBe(200);
      await page.goto('/calls/settings');
      await fits(page, size.width);
      await page.goto('/imports');
      await fits(page, size.width);
      await app.sandbox.webhooksDelivered();
      expect(await calls()).toHaveLength(1);
    });
  });
}

test('a row is corrected on the page, and the report follows', async ({ signedIn: page }) => {
  await page.goto('/imports');
  await drop(page, 'звонки.csv', csv([['не помню', '24.11.2026 10:05', '12', 'Отказ', 'Иванова', '']]));
  await page.getByTestId('check').click();
  await expect(figure(page, 'С ошибками')).toContainText('1');
  await expect(page.getByTestId('start')).toBeDisabled();
  await correct(page, '8 999 555 08 10');
  await expect(page.getByText('Ошибок в столбцах нет')).toBeVisible();
  await expect(page.getByTestId('start')).toBeEnabled();
});

test('a large file leaves the page quick', async ({ signedIn: page }) => {
  const rows = Array.from({ length: 20_000 }, (_, at) => [`+7998${String(at).padStart(7, '0')}`, `Клиент ${at}`].join(';'));
  await page.goto('/imports');
  await drop(page, 'много.csv', `Телефон;Имя\n${rows.join('\n')}\n`);
  await page.getByTestId('check').click();
  await expect(figure(page, 'Будет загружено')).toContainText('20 000', { timeout: 60_000 });
  expect(await page.getByTestId('import-rows').getByTestId('row').count()).toBeLessThanOrEqual(50);
  await page.getByTestId('start').click();
  await expect(page.getByTestId('progress')).toBeVisible();
  await page.getByTestId('cancel').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Отменить загрузку' }).click();
  await expect(page.getByTestId('import-state')).toHaveText('Отменён');
});

/** A deal with a lead, linked by the demo's own rule. */
async function linkedDeal({ sandbox }: App): Promise<number> {
  const deal = await sandbox.createDeal({ name: 'Вера Тестова', phone: `+${PHONE}`, deal: 'Окна' });
  await sandbox.moveDeal(deal, 'Передано в обзвон');
  const leads = async () => (await sandbox.leads()).filter((lead) => lead.phone?.endsWith(PHONE.slice(1))).length;
  await expect.poll(leads, { timeout: 10_000 }).toBe(1);
  return deal;
}

/** The ready rule of the settings, looked at and published. */
async function readyRule(page: Page): Promise<void> {
  await page.goto('/calls/settings');
  await page.getByTestId('make-rule').click();
  await expect(page).toHaveURL(/\/rules\/[0-9a-f-]{36}/);
  await page.getByTestId('publish').click();
  await page.getByTestId('publish-yes').click();
  await expect(page.getByText('В работе версия 1')).toBeVisible();
}

/** Gives the only bad row a phone, before anything is started. */
async function correct(page: Page, phone: string): Promise<void> {
  await page.getByTestId('edit-row').click();
  await page.getByTestId('row-editor').getByLabel('Телефон').fill(phone);
  await page.getByTestId('save-row').click();
  await expect(figure(page, 'Будет загружено')).toContainText('1');
}

function csv(rows: string[][]): string {
  const header = ['Телефон', 'Дата звонка', 'Длительность', 'Результат', 'Оператор', 'Запись'];
  return [header, ...rows].map((cells) => cells.join(';')).join('\n');
}

/** Drops a file onto the page, as from a folder. */
async function drop(page: Page, name: string, text: string): Promise<void> {
  const zone = page.getByTestId('drop-zone');
  await expect(zone).toBeVisible();
  const files = await page.evaluateHandle(
    ([name, text]) => {
      const data = new DataTransfer();
      data.items.add(new File([text!], name!));
      return data;
    },
    [name, text],
  );
  await zone.dispatchEvent('dragover', { dataTransfer: files });
  await zone.dispatchEvent('drop', { dataTransfer: files });
}

function figure(page: Page, name: string) {
  return page.getByTestId('report-figure').filter({ hasText: name });
}

/** Nothing is wider than the window. */
async function fits(page: Page, width: number): Promise<void> {
  await settled(page);
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
}
