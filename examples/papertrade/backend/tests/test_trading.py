from papertrade import auth
from papertrade.quotes import practice_price

ADA = {"name": "ada", "password": "correct-horse-battery", "client_id": "paper-web"}


def logged_in(web):
    assert web.post("/api/users", json=ADA).status_code == 201
    token = web.post("/api/session", json=ADA).json()["token"]
    return {"Authorization": f"Bearer {token}"}


def test_health_answers(web):
    assert web.get("/health").json() == {"status": "ok"}


def test_a_name_can_be_taken_once(web):
    assert web.post("/api/users", json=ADA).status_code == 201
    assert web.post("/api/users", json=ADA).status_code == 409


def test_a_wrong_password_is_refused(web):
    web.post("/api/users", json=ADA)
    assert web.post("/api/session", json=ADA | {"password": "wrong-password"}).status_code == 401


def test_an_unknown_client_is_refused(web):
    assert web.post("/api/session", json=ADA | {"client_id": "other"}).status_code == 403


def test_attempts_are_limited(web):
    answers = [web.post("/api/session", json=ADA).status_code for _ in range(21)]
    assert answers == [401] * 20 + [429]


def test_portfolio_needs_a_login(web):
    assert web.get("/api/portfolio").status_code == 401
    assert web.get("/api/portfolio", headers={"Authorization": "Bearer a.b"}).status_code == 401


def test_buying_takes_cash_and_gives_shares(web):
    headers = logged_in(web)
    bought = web.post("/api/trades", json={"symbol": "ACME", "quantity": 3}, headers=headers)
    assert bought.status_code == 201
    owned = web.get("/api/portfolio", headers=headers).json()
    assert owned["shares"] == {"ACME": 3}
    assert owned["cash"] == round(10_000 - 3 * practice_price("ACME"), 2)


def test_more_than_is_owned_cannot_be_sold(web):
    headers = logged_in(web)
    sold = web.post("/api/trades", json={"symbol": "ACME", "quantity": -1}, headers=headers)
    assert sold.status_code == 422


def test_an_old_token_is_worthless():
    assert auth.name_from_token(auth.issue_token("ada")) == "ada"
    assert auth.name_from_token(auth.issue_token("ada", now=1)) is None
