#!/usr/bin/env python3
"""A day's work with SQLAlchemy: create_all, sessions, relations, reflection, transactions, bulk work."""
import datetime
import decimal
import uuid

import sqlalchemy as sa
from harness import check, equal, main, raises, test
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql

Base = orm.declarative_base()


class Author(Base):
    """One side of a relation."""

    __tablename__ = "sa_author"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(50), nullable=False, unique=True)
    born = sa.Column(sa.Date)
    books = orm.relationship("Book", back_populates="author", cascade="all, delete-orphan", order_by="Book.id")


class Book(Base):
    """The other, with a value of many a type."""

    __tablename__ = "sa_book"
    id = sa.Column(sa.BigInteger, primary_key=True)
    author_id = sa.Column(sa.ForeignKey("sa_author.id", ondelete="CASCADE"), nullable=False, index=True)
    title = sa.Column(sa.Text, nullable=False)
    price = sa.Column(sa.Numeric(8, 2), server_default="0")
    printed = sa.Column(sa.DateTime(timezone=True), server_default=sa.func.now())
    key = sa.Column(postgresql.UUID(as_uuid=True), default=uuid.uuid4)
    tags = sa.Column(postgresql.ARRAY(sa.Text))
    cover = sa.Column(sa.LargeBinary)
    sold = sa.Column(sa.Boolean, default=False)
    author = orm.relationship(Author, back_populates="books")
    __table_args__ = (sa.CheckConstraint("price >= 0", name="sa_book_price"), sa.UniqueConstraint("author_id", "title"),
                      sa.Index("sa_book_lower", sa.text("lower(title)")))


def engine(**options):
    """An engine whose sessions are where the environment says."""
    return sa.create_engine("postgresql+psycopg2://", **options)


def fresh():
    """An engine over newly made tables."""
    made = engine()
    Base.metadata.drop_all(made)
    Base.metadata.create_all(made)
    return made


@test
def tables_are_made_once():
    made = fresh()
    Base.metadata.create_all(made)
    check(sa.inspect(made).has_table("sa_book"))
    check(not sa.inspect(made).has_table("sa_nothing"))
    Base.metadata.drop_all(made)
    check(not sa.inspect(made).has_table("sa_book"))


@test
def objects_are_stored_found_changed_and_deleted():
    made = fresh()
    with orm.Session(made) as session:
        author = Author(name="Ada", born=datetime.date(1815, 12, 10))
        author.books = [Book(title=f"Notes {i}", price=decimal.Decimal("1.50") * i, tags=["a", str(i)], cover=bytes([i])) for i in range(3)]
        session.add(author)
        session.commit()
        equal(author.id, 1)
        equal([book.id for book in author.books], [1, 2, 3])
        check(author.books[0].printed.tzinfo is not None)
    with orm.Session(made) as session:
        book = session.query(Book).filter(Book.title == "Notes 2").one()
        equal((book.price, book.tags, bytes(book.cover), book.sold, book.author.name), (decimal.Decimal("3.00"), ["a", "2"], b"\2", False, "Ada"))
        book.sold = True
        book.price = None
        session.commit()
        equal(session.query(Book).filter(Book.price.is_(None), Book.sold).count(), 1)
        session.delete(session.get(Author, 1))
        session.commit()
        equal(session.query(Book).count(), 0)


@test
def queries_join_group_and_order():
    made = fresh()
    with orm.Session(made) as session:
        for a in range(4):
            session.add(Author(name=f"author {a}", books=[Book(title=f"book {a}.{b}", price=a + b) for b in range(a)]))
        session.commit()
        rows = session.query(Author.name, sa.func.count(Book.id), sa.func.sum(Book.price)).outerjoin(Book).group_by(Author.name).order_by(Author.name).all()
        equal([tuple(row) for row in rows], [("author 0", 0, None), ("author 1", 1, decimal.Decimal("1.00")), ("author 2", 2, decimal.Decimal("5.00")),
                                             ("author 3", 3, decimal.Decimal("12.00"))])
        loaded = session.query(Author).options(orm.joinedload(Author.books)).order_by(Author.id).all()
        equal([len(author.books) for author in loaded], [0, 1, 2, 3])
        session.expire_all()
        loaded = session.query(Author).options(orm.selectinload(Author.books)).order_by(Author.id).limit(3).offset(1).all()
        equal([len(author.books) for author in loaded], [1, 2, 3])
        ranked = session.query(Book.title).filter(Book.tags.is_(None), Book.price.between(3, 5)).order_by(Book.price.desc(), Book.title).all()
        equal([row[0] for row in ranked], ["book 3.2", "book 3.1", "book 2.1", "book 3.0"])
        exists = session.query(Author.name).filter(~Author.books.any()).all()
        equal([row[0] for row in exists], ["author 0"])


@test
def errors_are_wrapped():
    made = fresh()
    with orm.Session(made) as session:
        session.add(Author(name="twice"))
        session.commit()
        session.add(Author(name="twice"))
        error = raises(sa.exc.IntegrityError, session.flush)
        equal(error.orig.pgcode, "23505")
        session.rollback()
        session.add(Book(author_id=1, title="t", price=-1))
        equal(raises(sa.exc.IntegrityError, session.flush).orig.diag.constraint_name, "sa_book_price")
        session.rollback()
        with session.begin_nested() as savepoint:
            session.add(Author(name="third"))
            session.flush()
            savepoint.rollback()
        equal(session.query(Author).count(), 1)


@test
def tables_are_reflected():
    made = fresh()
    inspector = sa.inspect(made)
    check({"sa_author", "sa_book"} <= set(inspector.get_table_names()))
    columns = {column["name"]: column for column in inspector.get_columns("sa_book")}
    equal(str(columns["price"]["type"]), "NUMERIC(8, 2)")
    equal(columns["price"]["default"], "'0'::numeric")
    equal(columns["id"]["default"], "nextval('sa_book_id_seq'::regclass)")
    equal(columns["title"]["nullable"], False)
    equal(inspector.get_pk_constraint("sa_book")["constrained_columns"], ["id"])
    keys = inspector.get_foreign_keys("sa_book")
    equal((keys[0]["referred_table"], keys[0]["constrained_columns"], keys[0]["options"]), ("sa_author", ["author_id"], {"ondelete": "CASCADE"}))
    of_expressions = ["sa_book_lower"] if sa.__version__ >= "2" else []  # SQLAlchemy 1.4 does not reflect them
    equal([index["name"] for index in inspector.get_indexes("sa_book") if not index.get("duplicates_constraint")],
          ["ix_sa_book_author_id"] + of_expressions)
    equal([unique["column_names"] for unique in inspector.get_unique_constraints("sa_book")], [["author_id", "title"]])
    equal([(c["name"], c["sqltext"]) for c in inspector.get_check_constraints("sa_book")], [("sa_book_price", "price >= (0)::numeric")])
    reflected = sa.Table("sa_author", sa.MetaData(), autoload_with=made)
    equal([column.name for column in reflected.columns], ["id", "name", "born"])
    inspector.get_view_names()
    equal(inspector.default_schema_name, "public")


@test
def core_statements_return_rows():
    made = fresh()
    table = Author.__table__
    with made.begin() as connection:
        result = connection.execute(table.insert().returning(table.c.id), [{"name": "one"}])
        equal(result.scalar(), 1)
        connection.execute(table.insert(), [{"name": f"n{i}"} for i in range(500)])
        put = postgresql.insert(table).values(name="one", born=datetime.date(2000, 1, 1))
        connection.execute(put.on_conflict_do_update(index_elements=["name"], set_={"born": put.excluded.born}))
        equal(connection.execute(sa.select(table.c.born).where(table.c.name == "one")).scalar(), datetime.date(2000, 1, 1))
        equal(connection.execute(sa.update(table).where(table.c.id <= 11).values(born=None)).rowcount, 11)
        equal(connection.execute(sa.select(sa.func.count()).select_from(table).where(table.c.name.in_(["n1", "n2", "zzz"]))).scalar(), 2)
        equal(connection.execute(sa.select(sa.literal_column("1")).union_all(sa.select(sa.literal_column("2")))).fetchall(), [(1,), (2,)])
        recursive = sa.select(sa.literal(1).label("n")).cte("r", recursive=True)
        recursive = recursive.union_all(sa.select(recursive.c.n + 1).where(recursive.c.n < 5))
        equal(connection.execute(sa.select(sa.func.sum(recursive.c.n))).scalar(), 15)
    with made.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        equal(connection.execute(sa.text("SHOW transaction_isolation")).scalar(), "repeatable read")
    with made.connect().execution_options(stream_results=True) as connection:
        equal(len(connection.execute(sa.select(table.c.id)).fetchall()), 501)


@test
def rows_are_locked_for_update():
    made = fresh()
    with orm.Session(made) as session, orm.Session(made) as other:
        session.add(Author(name="locked"))
        session.commit()
        session.query(Author).filter_by(name="locked").with_for_update().one()
        raises(sa.exc.OperationalError, other.query(Author).with_for_update(nowait=True).all)
        other.rollback()
        equal(other.query(Author).with_for_update(skip_locked=True).all(), [])


main("sqlalchemy")
