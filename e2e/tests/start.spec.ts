import { expect, test } from '../fixtures/app';

test('one-time link opens the application once', async ({ signedIn: page, app, browser }) => {
  await expect(page).toHaveURL((url) => url.origin === app.url);
  const stranger = await browser.newPage();
  await stranger.goto(app.signInUrl);
  await expect(stranger.getByRole('alert')).toContainText('уже использована');
  await expect(stranger.getByRole('navigation')).toHaveCount(0);
  await stranger.close();
});

test('interface is served compressed and may be kept for long', async ({ request }) => {
  const page = await request.get('/', { headers: { accept: 'text/html' } });
  expect(page.headers()['cache-control']).toContain('no-cache');
  const script = /href="(\/app-[0-9a-f]+\/main\.js)"/.exec(await page.text())?.[1];
  expect(script).toBeDefined();
  const asset = await request.get(script!, { headers: { 'accept-encoding': 'br' } });
  expect(asset.status()).toBe(200);
  expect(asset.headers()['content-encoding']).toBe('br');
  expect(asset.headers()['cache-control']).toContain('immutable');
});

test('page that is a part of its own opens', async ({ signedIn: page }) => {
  await page.goto('/rules/new');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.getByTestId('error')).toHaveCount(0);
});
