import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, test, type App } from '../fixtures/app';
import { SIZES } from '../fixtures/pages';

const TO_CALLS = 'Сделка передана в обзвон → лид в LPTracker';

/** Chooses a field in a picker by searching for it. */
async function pickField(page: Page, search: string): Promise<void> {
  const leaf = page.getByTestId('leaf').last();
  await leaf.getByTestId('field-picker').locator('.picker-face').click();
  await leaf.getByTestId('field-picker').getByRole('combobox').fill(search);
  await leaf.getByTestId('field-picker').getByRole('option').first().click();
}

async function open(page: Page, rule: string): Promise<void> {
  await page.goto('/rules');
  await page.getByRole('link', { name: rule }).click();
  await expect(page.getByTestId('bench-bar')).toBeVisible();
}

async function calling(app: App, deal: string, phone: string): Promise<void> {
  const id = await app.sandbox.createDeal({ name: 'Анна Пробная', phone, deal, price: 90_000 });
  await app.sandbox.moveDeal(id, 'Передано в обзвон');
  await expect.poll(async () => (await app.sandbox.leads()).some((lead) => lead.name === deal), { timeout: 10_000 }).toBe(true);
  await app.sandbox.webhooksDelivered();
}

async function fits(page: Page, width: number): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
}

for (const size of SIZES) {
  test.describe(`at ${size.width} px`, () => {
    test.beforeEach(async ({ signedIn }) => signedIn.setViewportSize(size));

    test('an event is kept as a case, turns red with the rule, and stops its publishing', async ({ signedIn: page, app }) => {
      await calling(app, 'Шкаф', '8 (999) 555-08-08');
      await open(page, TO_CALLS);
      await page.locator('[data-testid="trial-row"][data-verdict="good"]').first().click();
      await page.getByText('Сохранить выбранное событие как проверку').click();
      await page.getByTestId('case-name').fill('обычная передача');
      await page.getByTestId('save-case').click();
      const kept = page.getByTestId('case');
      await expect(kept).toContainText('Выполнена');
      await expect(kept).toContainText('обычная передача');

      await page.getByTestId('add-condition').first().click();
      await pickField(page, 'сделка бюджет');
      const leaf = page.getByTestId('leaf').last();
      await leaf.getByLabel('Условие', { exact: true }).selectOption('greater_or_equal');
      await leaf.getByLabel('Значение', { exact: true }).fill('500000');
      await expect(kept).toContainText('Не выполнена');
      await expect(kept).toContainText('Правило должно сработать');
      await fits(page, size.width);
      await page.getByTestId('save-rule').click();
      await expect(page.getByTestId('draft-state')).toHaveText('Всё сохранено');
      await page.getByTestId('publish').click();
      await page.getByTestId('publish-yes').click();
      const refused = page.getByTestId('publish-dialog').getByTestId('error');
      await expect(refused).toContainText('Проверки правила не прошли');
      await expect(refused).toContainText('обычная передача');
      await page.keyboard.press('Escape');

      await page.getByTestId('accept-case').click();
      await expect(kept).toContainText('не должно сработать');
      await expect(kept).toContainText('Выполнена');
      await page.getByTestId('publish').click();
      await page.getByTestId('publish-yes').click();
      await expect(page.getByText('В работе версия 2')).toBeVisible();
      await kept.getByTestId('delete-case').click();
      await expect(kept).toHaveCount(0);
    });

    test('a rule is copied, saved as a file, and loaded again', async ({ signedIn: page }) => {
      await open(page, TO_CALLS);
      await page.getByTestId('copy-rule').click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${TO_CALLS} (копия)`);
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export-rule').click()]);
      expect(download.suggestedFilename()).toContain('(копия).json');
      const file = await download.path();
      expect(JSON.parse(await readFile(file, 'utf8')).format).toBe('crm-integrator/rule');
      await page.goto('/rules');
      await page.getByTestId('import').click();
      await page.getByTestId('import-file').setInputFiles(file);
      await expect(page.getByTestId('import-text')).toHaveValue(/crm-integrator/);
      await page.getByTestId('import-yes').click();
      await expect(page.getByTestId('imported')).toContainText('всё нашлось по названиям');
      await fits(page, size.width);
      await page.getByTestId('open-imported').click();
      await expect(page.getByTestId('bench-bar')).toBeVisible();
      await expect(page.getByTestId('n-errors')).toHaveCount(0);
    });

    test('a loaded rule tells what this workspace lacks', async ({ signedIn: page }) => {
      await page.goto('/rules');
      await page.getByTestId('import').click();
      await page.getByTestId('import-text').fill('{ нет');
      await page.getByTestId('import-yes').click();
      await expect(page.getByTestId('import-dialog')).toContainText('строка 1');
      await page.getByTestId('import-text').fill(JSON.stringify(foreign()));
      await page.getByTestId('import-yes').click();
      await expect(page.getByTestId('unbound')).toContainText('этап «Которого нет» воронки «Чужая»');
      await page.getByTestId('open-imported').click();
      await expect(page.getByTestId('n-errors')).toHaveText('Ошибок: 1');
    });

    test('a template is found, read, and taken as a beginning', async ({ signedIn: page }) => {
      await page.goto('/rules');
      await page.getByTestId('templates').click();
      await expect(page.getByTestId('template').nth(19)).toBeVisible();
      await page.getByTestId('template-search').fill('не дозвонились');
      await expect(page.getByTestId('template')).toHaveCount(1);
      await page.getByTestId('template').click();
      const preview = page.getByTestId('template-preview');
      await expect(preview).toContainText('Поставить задачу');
      await fits(page, size.width);
      await preview.getByTestId('use-template').click();
      await page.getByTestId('open-imported').click();
      await expect(page.getByLabel('Название правила')).toHaveValue('Не дозвонились → задача');
      await expect(page.getByTestId('case').first()).toBeVisible();
    });

    test('a certain circle is told in words and published by who means it', async ({ signedIn: page }) => {
      await page.goto('/rules');
      await page.getByTestId('import').click();
      await page.getByTestId('import-text').fill(JSON.stringify(circle()));
      await page.getByTestId('import-yes').click();
      await page.getByTestId('open-imported').click();
      // The server's word, asked while one edits.
      await expect(page.getByTestId('finding').filter({ hasText: 'снова правило' })).toBeVisible();
      await page.getByTestId('publish').click();
      await page.getByTestId('publish-yes').click();
      await expect(page.getByTestId('circle')).toContainText('событие «Примечание добавлено»');
      await page.getByTestId('accept-circle').click();
      await expect(page.getByText('В работе версия 1')).toBeVisible();
    });
  });
}

const HOME = '00000000-0000-7000-8000-0000000000a1';

function portable(catalogue: object, rule: object): object {
  return {
    format: 'crm-integrator/rule',
    version: 1,
    connections: [{ id: HOME, kind: 'amocrm', name: 'amoCRM', catalogue }],
    rule: { source: HOME, condition: { all: [] }, ...rule },
  };
}

function foreign(): object {
  const stage = { pipeline: 1, status: 2 };
  return portable(
    { pipelines: [{ id: 1, name: 'Чужая', stages: [{ id: 2, name: 'Которого нет' }] }] },
    {
      name: 'Из чужого кабинета',
      triggers: [{ kind: 'deal_stage_changed' }],
      actions: [{ do: 'move', connection: HOME, target: 'trigger', stage }],
    },
  );
}

function circle(): object {
  return portable(
    {},
    {
      name: 'Примечание на примечание',
      triggers: [{ kind: 'note_added' }],
      actions: [{ do: 'add_note', connection: HOME, target: 'trigger', text: { template: 'ещё одно' } }],
    },
  );
}
