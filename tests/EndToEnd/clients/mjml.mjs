// Our MJML compiler beside the reference, in a real browser: node mjml.mjs SOURCES COMPILED
// For each SOURCES/NAME.mjml the reference's HTML and COMPILED/NAME.html are laid out at two widths; boxes must agree within a pixel.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import mjml from 'mjml';
import { chromium } from 'playwright-core';

const [sources, compiled] = process.argv.slice(2);
const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAoAAAAFCAIAAADzBuo/AAAAEklEQVR42mNk+M+AFzDhlxyxAADeLgGBNZ5nRAAAAABJRU5ErkJggg==', 'base64');

// what a reader sees: texts, images, links, and boxes with a colour or a border
const seen = () => {
  const found = [];
  const box = r => [r.x + scrollX, r.y + scrollY, r.width, r.height].map(n => Math.round(n * 10) / 10);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walk.currentNode; node; node = walk.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      const text = node.textContent.trim().replace(/\s+/g, ' ');
      if (!text || node.parentElement.closest('style')) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const { fontSize, fontFamily, fontWeight, fontStyle, lineHeight, color, textAlign, textDecorationLine, textTransform, letterSpacing } = getComputedStyle(node.parentElement);
      const rects = [...range.getClientRects()].filter(r => r.width > 0);
      if (rects.length === 0) continue; // hidden
      found.push({ what: `text "${text.slice(0, 40)}"`, box: box(range.getBoundingClientRect()), style: [fontSize, fontFamily, fontWeight, fontStyle, lineHeight, color, textAlign, textDecorationLine, textTransform, letterSpacing].join(' | ') });
      continue;
    }
    const r = node.getBoundingClientRect();
    if (r.width === 0 && r.height === 0) continue;
    const css = getComputedStyle(node);
    if (node.tagName === 'IMG') found.push({ what: `img ${node.alt} ${node.getAttribute('src')?.slice(0, 60)}`, box: box(r), style: [css.borderTopWidth, css.borderRadius, css.display].join(' | ') });
    else if (node.tagName === 'A') found.push({ what: `a ${node.getAttribute('href')}`, box: box(r), style: node.target });
    const border = ['Top', 'Right', 'Bottom', 'Left'].map(side => `${css[`border${side}Width`]} ${css[`border${side}Style`]} ${css[`border${side}Color`]}`);
    const plain = css.backgroundColor === 'rgba(0, 0, 0, 0)' && css.backgroundImage === 'none' && border.every(b => b.startsWith('0px'));
    if (!plain && node.tagName !== 'BODY') found.push({ what: `box ${node.tagName.toLowerCase()}`, box: box(r), style: [css.backgroundColor, css.backgroundImage, css.backgroundPosition, css.backgroundRepeat, css.backgroundSize, ...border, css.borderRadius].join(' | ') });
  }
  return found;
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
let failed = 0;
let compared = 0;
try {
  const page = await browser.newPage();
  await page.route('**/*', route => route.request().resourceType() === 'image' ? route.fulfill({ body: pixel, contentType: 'image/png' }) : route.abort());
  for (const file of readdirSync(sources).filter(name => name.endsWith('.mjml')).sort()) {
    const reference = await mjml(readFileSync(join(sources, file), 'utf8'), { validationLevel: 'soft' });
    const ours = readFileSync(join(compiled, file.replace('.mjml', '.html')), 'utf8');
    for (const width of [600, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const look = async html => { await page.setContent(html, { waitUntil: 'load' }); return page.evaluate(seen); };
      const [theirs, mine] = [await look(reference.html), await look(ours)];
      const differences = [];
      if (theirs.length !== mine.length) differences.push(`${theirs.length} things there, ${mine.length} here: ${theirs.map(t => t.what).filter(w => !mine.some(m => m.what === w)).slice(0, 5)} / ${mine.map(t => t.what).filter(w => !theirs.some(m => m.what === w)).slice(0, 5)}`);
      for (let i = 0; i < Math.min(theirs.length, mine.length) && differences.length < 5; i++) {
        const [a, b] = [theirs[i], mine[i]];
        if (a.what !== b.what) { differences.push(`${a.what} there, ${b.what} here`); break; }
        if (a.style !== b.style) differences.push(`${a.what}: ${a.style} there, ${b.style} here`);
        if (a.box.some((n, k) => Math.abs(n - b.box[k]) > 1)) differences.push(`${a.what}: ${a.box} there, ${b.box} here`);
      }
      compared += theirs.length;
      if (differences.length > 0) failed++;
      console.log(differences.length === 0 ? `${file} ${width}: ${theirs.length} agree` : `${file} ${width}: DIFFERS\n  ${differences.join('\n  ')}`);
    }
  }
} finally {
  await browser.close();
}
console.log(`${compared} compared, ${failed} differ`);
process.exit(failed > 0 ? 1 : 0);
