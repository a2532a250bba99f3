import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { classOfAddress, isAddressLiteral } from '../../../src/registry/address-class.ts';
import {
  type Address,
  type AddressRule,
  createCheckedLookup,
  type LookUp,
} from '../../../src/registry/http/addresses.ts';

const NEVER = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.0.0',
  'fe80::1',
  'fe80::1%eth0',
  '[fe80::1]',
  'febf:ffff::1',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  '0.0.0.0',
  '0.1.2.3',
  '::',
  '224.0.0.1',
  '255.255.255.255',
  'ff02::1',
  '2001::1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::ffff:0.0.0.0',
  '[::ffff:100.100.100.200]',
  '::169.254.169.254',
  '::ffff:0:169.254.169.254',
  '64:ff9b::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b::6464:64c8',
  '2002:a9fe:a9fe::1',
  '',
  'localhost',
  '1.2.3',
  '::1::',
];
const PRIVATE = [
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.0.1',
  '198.18.0.1',
  '::1',
  '[::1]',
  'fd12:3456::1',
  'fec0::1',
  '::ffff:10.0.0.1',
  '::ffff:7f00:1',
  '::10.0.0.1',
  '::ffff:0:10.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::808:808',
  '2002:0a00:0001::1',
  '2002:7f00:1::',
];
const PUBLIC = [
  '8.8.8.8',
  '172.32.0.1',
  '169.253.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '2001:4860:4860::8888',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
  '2002:0808:0808::1',
];

describe('an address', () => {
  it.each(NEVER)('%j is never connected to', (address) => {
    expect(classOfAddress(address)).toBe('never');
  });
  it.each(PRIVATE)('%j is private', (address) => {
    expect(classOfAddress(address)).toBe('private');
  });
  it.each(PUBLIC)('%j is public', (address) => {
    expect(classOfAddress(address)).toBe('public');
  });
  it('is told from a name', () => {
    expect(['127.0.0.1', '[::1]', '::1', 'localhost', 'a.example', ''].map(isAddressLiteral)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('a look-up', () => {
  const anything: AddressRule = () => true;
  const publicOnly: AddressRule = (classes) => classes.every((found) => found === 'public');
  const lookUpReturning =
    (...addresses: readonly string[]): LookUp =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const all = (rule: AddressRule, lookUp: LookUp): Promise<unknown> =>
    promisify<string, object, readonly Address[]>(createCheckedLookup(rule, lookUp) as never)('a.example', {
      all: true,
    });

  it('refuses a name that is at a metadata address, whatever the rule', async () => {
    await expect(all(anything, lookUpReturning('8.8.8.8', '169.254.169.254'))).rejects.toMatchObject({
      name: 'AddressForbidden',
      message:
        'a.example is at 169.254.169.254, a link-local, metadata or reserved address, which is never connected to',
    });
  });

  it('refuses a name of which one address is against the rule', async () => {
    await expect(all(publicOnly, lookUpReturning('8.8.8.8', '10.0.0.1'))).rejects.toMatchObject({
      name: 'AddressForbidden',
    });
  });

  it('of a name without an address, or that fails, is a fault of the network', async () => {
    await expect(all(anything, lookUpReturning())).rejects.toMatchObject({ name: 'LookupFailed' });
    await expect(all(anything, () => Promise.reject(new Error('resolver is gone')))).rejects.toMatchObject({
      name: 'LookupFailed',
      message: 'a.example cannot be resolved',
    });
  });

  it('gives all addresses or the first, as the socket asks', async () => {
    const lookup = createCheckedLookup(anything, lookUpReturning('8.8.8.8', '2606:4700::1111'));
    expect(await all(anything, lookUpReturning('8.8.8.8', '::1'))).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '::1', family: 6 },
    ]);
    const first = await new Promise((resolve) => {
      lookup('a.example', {}, (error, address, family) => resolve([error, address, family]));
    });
    expect(first).toEqual([null, '8.8.8.8', 4]);
  });

  it('gives what was checked, and looks up once', async () => {
    const answers = [lookUpReturning('8.8.8.8'), lookUpReturning('169.254.169.254')];
    const rebinding: LookUp = (hostname) => (answers.shift() ?? lookUpReturning('127.0.0.1'))(hostname);
    expect(await all(publicOnly, rebinding)).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(answers.length).toBe(1);
    await expect(all(publicOnly, rebinding)).rejects.toMatchObject({ name: 'AddressForbidden' });
  });
});
