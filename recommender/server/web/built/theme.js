"use strict";(()=>{try{let e=localStorage.getItem("recsys.theme");(e==="light"||e==="dark")&&(document.documentElement.dataset.theme=e)}catch{}})();
