import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tokenOf } from '../testing/browser.js';
import { openShop, type OpenShop } from '../testing/open-shop.js';

let shop: OpenShop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

describe('logging in', () => {
  it('by form takes the token of the page, rotates the session and leads to an absolute address', async () => {
    const browser = shop.stranger();
    const token = tokenOf(await (await browser.get('/login?next=/orders')).text());
    const stranger = browser.cookies.get('shop_sid');
    const fields = { email: 'customer17@shop.test', password: 'secret17', next: '/orders', _csrf: token };
    const answer = await browser.form('/login', fields);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`${shop.url}/orders`);
    expect(browser.cookies.get('shop_sid')).not.toBe(stranger);
    expect(browser.cookies.get('cust')).toBe('17');
    const page = await (await browser.get('/orders')).text();
    expect(page).toContain('B000001');

    const left = await browser.form('/logout', { _csrf: tokenOf(page) });
    expect(left.headers.get('location')).toBe(`${shop.url}/products`);
    expect([...browser.cookies.keys()]).toEqual([]);
    expect((await browser.get('/api/me')).status).toBe(401);
  });

  it('with a wrong password shows the form again', async () => {
    const browser = shop.stranger();
    const token = tokenOf(await (await browser.get('/login')).text());
    const answer = await browser.form('/login', {
      email: 'customer17@shop.test',
      password: 'x',
      _csrf: token,
    });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('E-mail or password is wrong');
  });

  it.each(['https://evil.test/', '//evil.test/', '/\\evil.test'])('never leads to %s', async (next) => {
    const browser = shop.stranger();
    const token = tokenOf(await (await browser.get('/login')).text());
    const fields = { email: 'customer17@shop.test', password: 'secret17', next, _csrf: token };
    expect((await browser.form('/login', fields)).headers.get('location')).toBe(`${shop.url}/products`);
  });

  it('is where pages send a stranger, while the API says 401', async () => {
    const page = await shop.stranger().get('/orders');
    expect([page.status, page.headers.get('location')]).toEqual([302, `${shop.url}/login?next=%2Forders`]);
    expect((await shop.stranger().get('/api/orders')).status).toBe(401);
  });

  it('uses the public host and scheme that a proxy names', async () => {
    const headers = { 'x-forwarded-host': 'shop.test', 'x-forwarded-proto': 'https' };
    const answer = await shop.stranger().send('GET', '/', { headers });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'https://shop.test/products']);
  });
});

describe('the token of the session', () => {
  it.each(['', 'f'.repeat(32)])('is asked for by forms and JSON: %j is 403', async (token) => {
    const browser = await shop.customer();
    browser.csrf = '';
    const headers = { 'x-csrf-token': token, 'content-type': 'application/json' };
    const answer = await browser.send('POST', '/api/cart/items', { body: '{"product_id":1}', headers });
    expect(answer.status).toBe(403);
    const page = await browser.form('/cart/items', { product_id: '1', _csrf: token });
    expect([page.status, page.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8']);
  });
});
