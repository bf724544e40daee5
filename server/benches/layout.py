"""Tries table layouts for metrics in SQLite: python3 layout.py FOLDER interned|text [index]. Figures: ../BENCH.md"""
import sqlite3, time, random, sys, os, statistics
FOLDER,variant=sys.argv[1:3]; path=f"{FOLDER}/{variant}.db"
for s in ("","-wal","-shm"):
    try: os.remove(path+s)
    except FileNotFoundError: pass
RUNS,KEYS,POINTS=100_000,10,10
db=sqlite3.connect(path,isolation_level=None); c=db.cursor()
c.execute("pragma journal_mode=wal"); c.execute("pragma synchronous=off"); c.execute("pragma cache_size=-200000")
c.execute("create table runs(id integer primary key, run_uuid text not null unique, experiment_id integer not null, name text, status text, start_time integer, lifecycle_stage text)")
if variant=="interned":
    c.execute("create table metric_keys(id integer primary key, key text not null unique)")
    c.execute("create table metrics(run integer not null,key integer not null,timestamp integer not null,step integer not null,value real not null,is_nan integer not null,primary key(run,key,timestamp,step,value,is_nan)) without rowid")
    c.execute("create table latest_metrics(run integer not null,key integer not null,value real not null,is_nan integer not null,step integer,timestamp integer,primary key(run,key)) without rowid")
else:
    c.execute("create table metrics(run_uuid text not null,key text not null,timestamp integer not null,step integer not null,value real not null,is_nan integer not null,primary key(run_uuid,key,timestamp,step,value,is_nan))")
    c.execute("create table latest_metrics(run_uuid text not null,key text not null,value real not null,is_nan integer not null,step integer,timestamp integer,primary key(run_uuid,key))")
names=[f"metric_name_{i}" for i in range(KEYS)]
t=time.time(); rnd=random.Random(1)
uu=[f"{rnd.getrandbits(128):032x}" for _ in range(RUNS)]
c.execute("begin")
if variant=="interned": c.executemany("insert into metric_keys values(?,?)",list(enumerate(names)))
c.executemany("insert into runs values(?,?,1,?,'FINISHED',?,'active')",((i,uu[i],f"run-{i}",1700000000000+i) for i in range(RUNS)))
def rows():
    for i in range(RUNS):
        for k in range(KEYS):
            for p in range(POINTS):
                yield (i if variant=="interned" else uu[i], k if variant=="interned" else names[k], 1700000000000+p, p, rnd.random(), 0)
c.executemany("insert into metrics values(?,?,?,?,?,?)",rows())
col="run" if variant=="interned" else "run_uuid"
c.execute(f"insert into latest_metrics select {col},key,value,is_nan,step,timestamp from metrics where step={POINTS-1}")
c.execute("create index runs_by_experiment on runs(experiment_id,lifecycle_stage,start_time desc)")
c.execute("commit"); print(variant,"insert s",round(time.time()-t,1))
c.execute("create index latest_by_value on latest_metrics(key,is_nan,value)") if len(sys.argv)>3 else None
c.execute("pragma wal_checkpoint(truncate)"); print("MB",os.path.getsize(path)//2**20)
c.execute("pragma synchronous=full"); c.execute("analyze")
def bench(name,f,n):
    x=[]
    for i in range(n):
        t=time.perf_counter(); f(i); x.append((time.perf_counter()-t)*1e3)
    print(f"  {name}: p50 {statistics.median(x):.3f} ms, max {max(x):.2f}")
rid=lambda i: (i*7919)%RUNS if variant=="interned" else uu[(i*7919)%RUNS]
key=lambda k: k if variant=="interned" else names[k]
join="join metric_keys k on k.id=l.key" if variant=="interned" else ""
bench("latest metrics of a run",lambda i:c.execute(f"select * from latest_metrics l {join} where {col}=?",(rid(i),)).fetchall(),300)
bench("history of one metric",lambda i:c.execute(f"select timestamp,step,value,is_nan from metrics where {col}=? and key=? order by timestamp,step,value",(rid(i),key(3))).fetchall(),300)
r="r.id" if variant=="interned" else "r.run_uuid"
bench("filter metric>x (10%), order by metric, 1000",lambda i:c.execute(f"select r.*,o.value from runs r left join latest_metrics o on o.{col}={r} and o.key=? where r.experiment_id in (1) and r.lifecycle_stage='active' and exists(select 1 from latest_metrics f where f.{col}={r} and f.key=? and f.value>0.9 and f.is_nan=0) order by o.value desc, r.start_time desc limit 1001",(key(5),key(3))).fetchall(),5)
bench("filter metric>x (0.1%), order by start",lambda i:c.execute(f"select r.* from runs r where r.experiment_id in (1) and r.lifecycle_stage='active' and exists(select 1 from latest_metrics f where f.{col}={r} and f.key=? and f.value>0.999 and f.is_nan=0) order by r.start_time desc limit 1001",(key(3),)).fetchall(),5)
bench("same, in (select)",lambda i:c.execute(f"select r.* from runs r where r.experiment_id in (1) and r.lifecycle_stage='active' and {r} in (select f.{col} from latest_metrics f where f.key=? and f.value>0.999 and f.is_nan=0) order by r.start_time desc limit 1001",(key(3),)).fetchall(),5)
def lst(i):
    ids=[x[0 if variant=="interned" else 1] for x in c.execute("select * from runs r where r.experiment_id=1 and r.lifecycle_stage='active' order by start_time desc,run_uuid limit 1001").fetchall()]
    c.execute(f"select * from latest_metrics l {join} where {col} in ({','.join('?'*len(ids))})",ids).fetchall()
bench("list 1000 runs with their metrics",lst,10)
def ins(i):
    c.execute("begin immediate"); c.execute("insert or ignore into metrics values(?,?,?,?,?,0)",(rid(i),key(3),1800000000000,i,0.5))
    c.execute(f"insert into latest_metrics values(?,?,0.5,0,?,1800000000000) on conflict({col},key) do update set value=excluded.value,step=excluded.step,timestamp=excluded.timestamp where (excluded.step,excluded.timestamp,excluded.value)>(step,timestamp,value)",(rid(i),key(3),i)); c.execute("commit")
bench("log one metric, durable",ins,300)
