import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  blobPath,
  type Descriptor,
  findBadBlobs,
  INDEX_TYPE,
  MANIFEST_TYPE,
  writeBlob,
  writeEntry,
} from '../../.ci/ship/layout.ts';

let layout: string;
let layer: Descriptor;
let manifest: Descriptor;
beforeEach(() => {
  layout = mkdtempSync(join(tmpdir(), 'sailmark-layout-'));
  layer = writeBlob(layout, 'application/octet-stream', 'a layer');
  const config = writeBlob(layout, 'application/json', '{}');
  const text = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers: [layer] });
  manifest = writeBlob(layout, MANIFEST_TYPE, text);
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [manifest] });
  writeEntry(layout, '1.0.0', writeBlob(layout, INDEX_TYPE, index));
});
afterEach(() => rmSync(layout, { recursive: true, force: true }));

describe('a layout', () => {
  it('is bad if the content of a blob was changed, or a blob that something names is missing', () => {
    writeFileSync(blobPath(layout, layer.digest), 'a lager');
    expect(findBadBlobs(layout)).toEqual([`${layout}: the content of ${layer.digest} has another digest`]);
    unlinkSync(blobPath(layout, layer.digest));
    expect(findBadBlobs(layout)).toEqual([`${layout}: ${layer.digest} is missing`]);
    unlinkSync(blobPath(layout, manifest.digest));
    expect(findBadBlobs(layout)).toEqual([`${layout}: ${manifest.digest} is missing`]);
  });

  it('is good as it was written', () => {
    expect(findBadBlobs(layout)).toEqual([]);
  });
});
