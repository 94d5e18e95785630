import { expect, it } from 'vitest';
import { fillTemplate } from '../../../worker/webhooks/fill-template.ts';

const body = { action: 'opened', issue: { title: 'It {{action}}', labels: [{ name: 'bug' }], number: 7 }, none: null };

it('the fields of the body take the places of their names', () => {
  expect(fillTemplate('{{action}} #{{ issue.number }}: {{issue.labels.0.name}}', body)).toBe('opened #7: bug');
  expect(fillTemplate('{{issue.labels}}', body)).toBe('[{"name":"bug"}]');
});

it('what is not there leaves nothing, and what is no field of the body itself is not there', () => {
  expect(fillTemplate('<{{none}}{{absent.deep}}{{constructor}}{{issue.__proto__}}{{action.length}}>', body)).toBe('<>');
});

it('what comes with the body is not filled in again', () => {
  expect(fillTemplate('{{issue.title}}', body)).toBe('It {{action}}');
});
