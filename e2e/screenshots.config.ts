import { defineConfig } from '@playwright/test';
import base from './playwright.config';

// `cargo xtask screenshots`
export default defineConfig({
  ...base,
  testDir: './screenshots',
  workers: 1,
  timeout: 5 * 60_000,
});
