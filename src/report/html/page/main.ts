import type { ScanResult } from '../../../scan/index.ts';
import { showNotices } from './ahead.ts';
import { showDrift, showPreflight } from './configured.ts';
import { find } from './dom.ts';
import { showContents, showFacts, showWarnings } from './frame.ts';
import { showImages } from './images.ts';
import { showCoverage, showPolicy } from './judged.ts';
import { showOwners } from './owners.ts';
import { showPicture } from './picture.ts';
import { watchPrint } from './print.ts';
import { showRemedies } from './remedies.ts';
import { showVersions } from './versions.ts';

const scan = JSON.parse(find('scan').textContent ?? '') as ScanResult;

showFacts(scan);
showWarnings(scan);
showContents(scan);
showPicture(scan, showImages(scan));
showRemedies(scan);
showOwners(scan);
showPreflight(scan);
showDrift(scan);
showVersions(scan);
showNotices(scan);
showCoverage(scan);
showPolicy(scan);
watchPrint();
find('report').hidden = false;
