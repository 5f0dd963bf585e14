// Empty means: the server that this page came from.
const apiUrl = import.meta.env.VITE_API_URL ?? "";
const clientId = import.meta.env.VITE_CLIENT_ID;
if (!clientId) throw new Error("VITE_CLIENT_ID was not set when this page was built");

const byId = (id) => document.getElementById(id);
let token = "";

async function call(method, path, body) {
  const answer = await fetch(`${apiUrl}${path}`, {
    method,
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: body && JSON.stringify(body),
  });
  const content = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(content.detail));
  return content;
}

async function showPortfolio() {
  const { cash, shares } = await call("GET", "/api/portfolio");
  byId("cash").textContent = cash.toFixed(2);
  byId("shares").replaceChildren(
    ...Object.entries(shares).map(([symbol, count]) => {
      const item = document.createElement("li");
      item.textContent = `${count} ${symbol}`;
      return item;
    }),
  );
  byId("desk").hidden = false;
}

function onSubmit(id, act) {
  byId(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    try {
      await act(fields, event.submitter);
      byId("message").textContent = "";
    } catch (problem) {
      byId("message").textContent = problem.message;
    }
  });
}

onSubmit("login", async ({ name, password }, button) => {
  const credentials = { name, password, client_id: clientId };
  if (button?.name === "register") await call("POST", "/api/users", credentials);
  token = (await call("POST", "/api/session", credentials)).token;
  await showPortfolio();
});

onSubmit("order", async ({ symbol, quantity }) => {
  await call("POST", "/api/trades", { symbol, quantity: Number(quantity) });
  await showPortfolio();
});
