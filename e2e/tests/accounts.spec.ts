import { createHmac } from 'node:crypto';
import type { Page } from '@playwright/test';
import { expect, test, type App } from '../fixtures/app';

test.use({ appOptions: { demo: false } });

const PASSWORD = 'длинный пароль владельца';

/** The link of the newest letter, which a server without mail writes into its log. */
async function letterLink(app: App, page: 'join' | 'reset'): Promise<string> {
  const links = () => [...app.log().matchAll(new RegExp(`https?://\\S+/${page}#\\S+`, 'g'))].map((found) => found[0]);
  await expect.poll(() => links().length, { message: 'a letter in the log' }).toBeGreaterThan(0);
  return links().at(-1)!;
}

/** The code that an authenticator shows (RFC 6238). */
function code(secret: string, at: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replace(/\s/g, '')].map((it) => alphabet.indexOf(it).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  const offset = hash[19]! & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

async function setUp(page: Page, app: App): Promise<void> {
  await page.goto(app.setupUrl);
  await page.getByTestId('name').fill('Анна Владелец');
  await page.getByTestId('email').fill('anna@example.ru');
  await page.getByTestId('password').fill(PASSWORD);
  await page.getByTestId('workspace').fill('Отдел продаж');
  await page.getByTestId('set-up').click();
  await expect(page.getByTestId('user-name')).toHaveText('Анна Владелец');
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.getByTestId('email').fill('anna@example.ru');
  await page.getByTestId('password').fill(password);
  await page.getByTestId('sign-in').click();
}

test('a colleague is invited by a letter, joins, changes role and is taken out', async ({ page, app, browser }) => {
  await setUp(page, app);
  await page.goto('/settings/members');
  await page.getByTestId('invite-email').fill('boris@example.ru');
  await page.getByTestId('invite').click();
  await expect(page.getByTestId('invitations')).toContainText('boris@example.ru');

  const guest = await browser.newPage();
  await guest.goto(await letterLink(app, 'join'));
  await expect(guest.getByTestId('invited')).toContainText('Отдел продаж');
  await guest.getByTestId('name').fill('Борис Гость');
  await guest.getByTestId('password').fill('короткий');
  await guest.getByTestId('join').click();
  await expect(guest.getByRole('alert').first()).toBeVisible();
  await guest.getByTestId('password').fill('длинный пароль гостя');
  await guest.getByTestId('join').click();
  await expect(guest.getByTestId('user-name')).toHaveText('Борис Гость');
  await guest.goto('/settings/members');
  await expect(guest.getByTestId('members')).toContainText('Наблюдатель');
  await expect(guest.getByTestId('invite')).toHaveCount(0);

  await page.reload();
  const row = page.getByTestId('members').getByRole('row').filter({ hasText: 'Борис Гость' });
  await row.getByRole('combobox').selectOption({ label: 'Редактор' });
  await expect(page.getByText('Роль изменена')).toBeVisible();
  await row.getByTestId('leave').click();
  await page.getByTestId('confirm').filter({ visible: true }).click();
  await expect(row).toHaveCount(0);
  await guest.close();
});

test('a second factor is set up, asked for, and a lost password is set anew', async ({ page, app }) => {
  await setUp(page, app);
  await page.goto('/settings/security');
  await page.getByTestId('factor-password').fill(PASSWORD);
  await page.getByTestId('factor').click();
  const secret = (await page.getByTestId('factor-secret').textContent())!;
  const now = Date.now();
  await page.getByTestId('factor-code').fill(code(secret, now));
  await page.getByTestId('factor-confirm').click();
  await expect(page.getByTestId('recovery-codes').getByRole('listitem')).toHaveCount(10);
  const recovery = (await page.getByTestId('recovery-codes').getByRole('listitem').first().textContent())!;

  await page.getByTestId('sign-out').click();
  await signIn(page, PASSWORD);
  await page.getByTestId('code').fill(recovery);
  await page.getByTestId('sign-in').click();
  await expect(page.getByTestId('user-name')).toHaveText('Анна Владелец');

  await page.getByTestId('sign-out').click();
  await page.getByRole('link', { name: 'Забыли пароль?' }).click();
  await page.getByTestId('email').fill('anna@example.ru');
  await page.getByTestId('ask-letter').click();
  await expect(page.getByTestId('letter-sent')).toBeVisible();
  await page.goto(await letterLink(app, 'reset'));
  await page.getByTestId('password').fill('совсем другой пароль');
  await page.getByTestId('set-password').click();
  await expect(page.getByTestId('password-set')).toBeVisible();
  await page.goto('/sign-in');
  await signIn(page, PASSWORD);
  await expect(page.getByRole('alert').first()).toBeVisible();
  await signIn(page, 'совсем другой пароль');
  // The next step of the clock: a code works once, also the one that confirmed.
  await page.getByTestId('code').fill(code(secret, now + 30_000));
  await page.getByTestId('sign-in').click();
  await expect(page.getByTestId('user-name')).toHaveText('Анна Владелец');
  await page.goto('/settings/security');
  await expect(page.getByTestId('sessions').getByRole('row')).toHaveCount(2);
});
