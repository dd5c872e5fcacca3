import type { Locator, Page } from '@playwright/test';
import { expect, test, type App } from '../fixtures/app';
import { SIZES } from '../fixtures/pages';

const NAME = 'Переговоры → лид в обзвон';

/** Chooses in a picker: opens it, searches, presses Enter or clicks. */
async function pick(picker: Locator, search: string, by: 'mouse' | 'keyboard' = 'mouse'): Promise<void> {
  const face = picker.locator('.picker-face');
  const box = picker.getByRole('combobox');
  // A finding that comes or goes between press and release moves the face away, and a person presses again.
  await expect(async () => {
    if ((await box.count()) === 0) {
      if (by === 'mouse') await face.click();
      else await face.press('Enter');
    }
    await expect(box).toBeFocused({ timeout: 2_000 });
  }).toPass({ timeout: 10_000 });
  await box.fill(search);
  const first = picker.getByRole('option').first();
  // Whoever is quicker than the list takes what stood first before.
  await expect(first).toHaveText(new RegExp(search.split(' ').map((word) => `(?=.*${word})`).join(''), 'is'));
  if (by === 'mouse') await first.click();
  else await box.press('Enter');
  await expect(picker.getByRole('listbox')).toHaveCount(0);
}

/** The call team has a lead of this name. */
async function made(app: App, name: string): Promise<boolean> {
  return (await app.sandbox.leads()).some((lead) => lead.name === name);
}

/** A name as nobody else has it. */
async function named(page: Page, name: string): Promise<void> {
  await page.getByLabel('Название правила').fill(name);
}

async function begin(page: Page): Promise<void> {
  await page.goto('/rules');
  await page.getByTestId('new-rule').click();
  await expect(page.getByTestId('group')).toBeVisible();
  await expect(page.getByTestId('connection-picker').first()).toContainText('amoCRM');
}

/** The rule of the README, built from nothing. */
async function build(page: Page, by: 'mouse' | 'keyboard'): Promise<void> {
  await begin(page);
  await named(page, NAME);
  const press = async (button: Locator) => {
    if (by === 'mouse') return button.click();
    await button.focus();
    await button.press('Enter');
  };
  const leaves = page.getByTestId('leaf');
  await press(page.getByTestId('add-condition').first());
  await expect(leaves).toHaveCount(1);
  await leaves.nth(0).getByLabel('Условие', { exact: true }).selectOption('changed_to');
  await pick(leaves.nth(0).getByTestId('value-picker'), 'Передано в обзвон', by);
  await press(page.getByTestId('add-condition').first());
  await pick(leaves.nth(1).getByTestId('field-picker'), 'сделка бюджет', by);
  await leaves.nth(1).getByLabel('Условие', { exact: true }).selectOption('greater_or_equal');
  await leaves.nth(1).getByLabel('Значение', { exact: true }).fill('100 000');
  await pick(page.getByTestId('add-action'), 'найти или создать лид', by);
  const action = page.getByTestId('action');
  await pick(action.getByTestId('choice-picker').first(), 'Новый лид', by);
  await press(action.getByTestId('propose'));
  await expect(action.getByTestId('map-row').first()).toBeVisible();
  await expect(page.getByTestId('n-errors')).toHaveCount(0);
  await press(page.getByTestId('save-rule'));
  await expect(page).toHaveURL(/\/rules\/[0-9a-f-]{36}/);
  await expect(page.getByTestId('draft-state')).toHaveText('Всё сохранено');
}

for (const size of SIZES) {
  test.describe(`at ${size.width} px`, () => {
    // Signing in looks for the menu, which a phone keeps folded.
    test.beforeEach(async ({ signedIn }) => signedIn.setViewportSize(size));

    test('the README rule is built with the mouse, published, and acts', async ({ signedIn: page, app }) => {
      await build(page, 'mouse');
      await page.getByTestId('publish').click();
      await expect(page.getByTestId('publish-dialog')).toContainText('первая публикация');
      await page.getByTestId('publish-yes').click();
      await expect(page.getByText('В работе версия 1')).toBeVisible();
      // The demo's own rule would do the same work.
      await page.goto('/rules');
      await page.getByLabel('Правило «Сделка передана в обзвон → лид в LPTracker»').uncheck();
      await expect(page.getByText('выключено').first()).toBeVisible();
      const deal = await app.sandbox.createDeal({
        name: 'Пётр Проверкин',
        phone: '8 (999) 555-07-07',
        deal: 'Кухня на заказ',
        price: 150_000,
      });
      await app.sandbox.moveDeal(deal, 'Передано в обзвон');
      await expect.poll(() => made(app, 'Кухня на заказ'), { timeout: 10_000 }).toBe(true);
    });

    test('the README rule is built with the keyboard', async ({ signedIn: page }) => {
      await build(page, 'keyboard');
    });

    test('groups nest, move by keys, are negated, copied and taken back', async ({ signedIn: page }) => {
      await begin(page);
      for (let depth = 0; depth < 4; depth += 1) {
        await page.getByTestId('add-group').nth(0).click();
        await expect(page.getByTestId('group')).toHaveCount(depth + 2);
      }
      await page.getByTestId('add-condition').first().click();
      const leaf = page.getByTestId('leaf');
      await expect(leaf).toHaveCount(1);
      const depth = async () => (await leaf.first().getAttribute('data-at'))!.split('/').length;
      const before = await depth();
      await leaf.first().getByTestId('handle').focus();
      await page.keyboard.press('ArrowLeft');
      await expect.poll(depth).toBe(before - 2);
      await expect(leaf.first().getByTestId('handle')).toBeFocused();
      await page.keyboard.press('ArrowRight');
      await expect.poll(depth).toBe(before);
      await leaf.first().getByTestId('negate').click();
      await expect(leaf.first().getByTestId('negate')).toHaveAttribute('aria-pressed', 'true');
      await leaf.first().getByTestId('duplicate').click();
      await expect(leaf).toHaveCount(2);
      await page.getByTestId('undo').click();
      await expect(leaf).toHaveCount(1);
      await page.keyboard.press('Control+z');
      await expect(leaf.first().getByTestId('negate')).toHaveAttribute('aria-pressed', 'false');
      await page.getByTestId('redo').click();
      await expect(leaf.first().getByTestId('negate')).toHaveAttribute('aria-pressed', 'true');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(size.width);
    });

    test('what is not saved survives a reload and an ended session', async ({ signedIn: page, app }) => {
      await page.goto('/rules');
      await page.getByRole('link', { name: 'Отказ → сделка закрыта' }).click();
      await named(page, 'Отказ клиента');
      await expect(page.getByTestId('draft-state')).toHaveText('Есть несохранённые правки');
      await page.reload();
      await expect(page.getByLabel('Название правила')).toHaveValue('Отказ клиента');
      await page.context().clearCookies();
      await page.getByTestId('save-rule').click();
      await expect(page).toHaveURL(/sign-in/);
      await app.killServer();
      await app.startServer();
      await page.goto(app.signInUrl);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.goto('/rules');
      await page.getByRole('link', { name: 'Отказ → сделка закрыта' }).click();
      await expect(page.getByLabel('Название правила')).toHaveValue('Отказ клиента');
      await page.getByTestId('save-rule').click();
      await expect(page.getByTestId('draft-state')).toHaveText('Всё сохранено');
    });

    test('the second tab meets a conflict and loses nothing', async ({ signedIn: page }) => {
      await page.goto('/rules');
      await page.getByRole('link', { name: 'Отказ → сделка закрыта' }).click();
      await expect(page.getByLabel('Название правила')).toBeVisible();
      const other = await page.context().newPage();
      await other.setViewportSize(size);
      await other.goto(page.url());
      await named(other, 'Из второй вкладки');
      await other.getByTestId('save-rule').click();
      await expect(other.getByTestId('draft-state')).toHaveText('Всё сохранено');
      await named(page, 'Из первой вкладки');
      await page.getByTestId('save-rule').click();
      await expect(page.getByTestId('conflict')).toBeVisible();
      await expect(page.getByLabel('Название правила')).toHaveValue('Из первой вкладки');
      await page.getByTestId('take-theirs').click();
      await expect(page.getByLabel('Название правила')).toHaveValue('Из второй вкладки');
      await page.getByTestId('undo').click();
      await expect(page.getByLabel('Название правила')).toHaveValue('Из первой вкладки');
      await page.getByTestId('save-rule').click();
      await expect(page.getByTestId('draft-state')).toHaveText('Всё сохранено');
    });

    test('the trial says which events match, and why not, without a request to the CRMs', async ({ signedIn: page, app }) => {
      const deal = await app.sandbox.createDeal({
        name: 'Анна Пробная',
        phone: '8 (999) 555-08-08',
        deal: 'Шкаф',
        price: 90_000,
      });
      await app.sandbox.moveDeal(deal, 'Передано в обзвон');
      await expect.poll(() => made(app, 'Шкаф'), { timeout: 10_000 }).toBe(true);
      await app.sandbox.webhooksDelivered();
      const quiet = await app.sandbox.lastSeq();
      await page.goto('/rules');
      await page.getByRole('link', { name: 'Сделка передана в обзвон → лид в LPTracker' }).click();
      await expect(page.locator('[data-testid="trial-row"][data-verdict="good"]').first()).toBeVisible();
      await page.getByTestId('add-condition').first().click();
      const leaf = page.getByTestId('leaf').last();
      await pick(leaf.getByTestId('field-picker'), 'сделка бюджет');
      await leaf.getByLabel('Условие', { exact: true }).selectOption('greater_or_equal');
      await leaf.getByLabel('Значение', { exact: true }).fill('100000');
      const bad = page.locator('[data-testid="trial-row"][data-verdict="bad"]').filter({ hasText: 'Шкаф' }).first();
      await expect(bad).toContainText('1 условие из 2 не выполнено');
      await bad.click();
      await expect(leaf.locator('[data-verdict="bad"]')).toBeVisible();
      await expect(leaf).toContainText('было 90\u00a0000');
      await leaf.getByLabel('Значение', { exact: true }).fill('50000');
      await expect(leaf.locator('[data-verdict="good"]')).toBeVisible();
      await expect(page.getByTestId('trial-result')).toContainText('Найти или создать лид');
      expect(await app.sandbox.journal(quiet)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(size.width);
    });
  });
}

test('a condition is dragged into a group', async ({ signedIn: page }) => {
  await begin(page);
  await page.getByTestId('add-group').first().click();
  await page.getByTestId('add-condition').last().click();
  const leaf = page.getByTestId('leaf');
  await expect(leaf).toHaveAttribute('data-at', '/condition/all/1');
  await leaf.getByTestId('handle').dragTo(page.locator('[data-drop="/condition/all/0/any/0"]'));
  await expect(leaf).toHaveAttribute('data-at', '/condition/all/0/any/0');
});

test('an old version becomes the draft again', async ({ signedIn: page }) => {
  await page.goto('/rules');
  await page.getByRole('link', { name: 'Отказ → сделка закрыта' }).click();
  await named(page, 'Отказ, вторая версия');
  await page.getByTestId('save-rule').click();
  await expect(page.getByTestId('draft-state')).toHaveText('Всё сохранено');
  await page.getByTestId('publish').click();
  await expect(page.getByTestId('change')).toContainText('Отказ, вторая версия');
  await page.getByTestId('publish-yes').click();
  await expect(page.getByText('В работе версия 2')).toBeVisible();
  await page.getByTestId('tab-versions').click();
  await page.getByRole('button', { name: 'Показать' }).last().click();
  await expect(page.getByTestId('change')).toContainText('Отказ, вторая версия');
  await page.getByTestId('restore').click();
  await page.getByTestId('tab-edit').click();
  await expect(page.getByLabel('Название правила')).toHaveValue('Отказ → сделка закрыта');
});
