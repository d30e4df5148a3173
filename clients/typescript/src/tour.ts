// Calls a live server by the generated types, and ends with an error where an answer is not as the document has it:
// node dist/tour.js, with TOUR_URL, TOUR_EMAIL and TOUR_PASSWORD.
import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { paths } from "./api.gen.js";

const patients = 500; // at least that many are there

function setting(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

const api = createClient<paths>({ baseUrl: setting("TOUR_URL") });
let token = "";
api.use({
  onRequest({ request }) {
    if (token !== "") {
      request.headers.set("Authorization", `Bearer ${token}`);
    }
    return request;
  },
});

interface Problem {
  code: string;
  detail: string;
  errors: unknown;
}

interface Reply<Data, Refusal> {
  data?: Data;
  error?: Refusal;
  response: Response;
}

// done returns the data of a reply that has this status.
function done<Data>(reply: Reply<Data, Problem>, status: number): Data {
  assert.equal(reply.response.status, status, JSON.stringify(reply.error));
  assert(reply.data !== undefined);
  return reply.data;
}

// refused checks that a reply is this problem. It compiles with codes that the document has for the operation.
function refused<Refusal extends Problem>(
  reply: Reply<unknown, Refusal>,
  status: number,
  code: Refusal["code"],
): void {
  assert.equal(reply.response.status, status);
  assert.equal(reply.error?.code, code);
  assert.equal(reply.response.headers.get("Content-Type"), "application/problem+json");
}

async function logIn(): Promise<string> {
  const email = setting("TOUR_EMAIL");
  const wrong = await api.POST("/api/v1/auth/login", { body: { email, password: "not the password" } });
  refused(wrong, 401, "auth.invalid_credentials");
  const login = done(await api.POST("/api/v1/auth/login", { body: { email, password: setting("TOUR_PASSWORD") } }), 200);
  token = login.token;
  return login.account.id;
}

async function register() {
  const reply = await api.POST("/api/v1/patients", {
    body: {
      first_name: "Typha",
      last_name: "Sample",
      date_of_birth: "1980-02-03",
      contact_info: { phone: "(212) 555-0144" },
    },
  });
  const patient = done(reply, 201);
  assert.equal(reply.response.headers.get("Location"), `/api/v1/patients/${patient.id}`);
  return patient;
}

async function find(id: string): Promise<void> {
  const page = done(await api.POST("/api/v1/patients/search", { body: { phone: "+12125550144" } }), 200);
  assert.deepEqual(page.items.map((item) => item.id), [id]);
}

// change changes the patient by the version that was read, and then by the same version, which is stale.
async function change(id: string, version: number): Promise<void> {
  const patch = () =>
    api.PATCH("/api/v1/patients/{id}", {
      params: { path: { id }, header: { "If-Match": `"${version}"` } },
      body: { first_name: "Typhas" },
    });
  const changed = done(await patch(), 200);
  assert.equal(changed.first_name, "Typhas");
  assert.equal(changed.version, version + 1);
  refused(await patch(), 412, "resource.stale");
}

async function book(patient: string, practitioner: string): Promise<void> {
  const at = (starts: string, ends: string) =>
    api.POST("/api/v1/appointments", {
      body: { patient_id: patient, practitioner_id: practitioner, starts_at: starts, ends_at: ends },
    });
  const booked = done(await at("2035-03-06T14:00:00Z", "2035-03-06T15:00:00Z"), 201);
  assert.equal(booked.status, "booked");
  assert.equal(booked.starts_at, "2035-03-06T14:00:00Z");
  refused(await at("2035-03-06T14:30:00Z", "2035-03-06T15:30:00Z"), 409, "appointment.taken");
}

async function writeAndSign(patient: string, author: string): Promise<void> {
  const draft = done(
    await api.POST("/api/v1/medical-records", {
      body: { patient_id: patient, kind: "progress_note", title: "Third visit", content: "Sleeps well." },
    }),
    201,
  );
  assert.equal(draft.status, "draft");
  const signed = done(
    await api.POST("/api/v1/medical-records/{id}/sign", {
      params: { path: { id: draft.id }, header: { "If-Match": `"${draft.version}"` } },
    }),
    200,
  );
  assert.equal(signed.status, "final");
  assert.equal(signed.signed_by, author);
}

// page reads all patients, and meets each of them once.
async function page(id: string): Promise<void> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const reply = await api.GET("/api/v1/patients", {
      params: { query: cursor === undefined ? { limit: 100 } : { limit: 100, cursor } },
    });
    const answer = done(reply, 200);
    for (const item of answer.items) {
      assert(!("unreadable" in item));
      assert(!seen.has(item.id), `patient ${item.id} comes twice`);
      seen.add(item.id);
    }
    cursor = answer.next_cursor ?? undefined;
    assert.equal(reply.response.headers.has("Link"), cursor !== undefined);
  } while (cursor !== undefined);
  assert(seen.size >= patients && seen.has(id), `${seen.size} patients`);
}

async function logOut(): Promise<void> {
  const reply = await api.POST("/api/v1/auth/logout");
  assert.equal(reply.response.status, 204);
  refused(await api.GET("/api/v1/auth/me"), 401, "auth.required");
}

const account = await logIn();
const patient = await register();
await find(patient.id);
await change(patient.id, patient.version);
await book(patient.id, account);
await writeAndSign(patient.id, account);
await page(patient.id);
await logOut();
console.log("the tour in TypeScript is done");
