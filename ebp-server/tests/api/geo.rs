//! Regions for pages.

use ebp_core::{
    contract::{paths, problem_type},
    scope::Group,
};
use reqwest::StatusCode;

use crate::harness::Server;

#[tokio::test]
async fn outlines_are_for_anybody_and_locations_for_researchers() {
    let server = Server::start().await;
    let nobody = server.api(None);
    let picture = async |path: &str| {
        let answer = nobody.get(path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["content-type"], "image/svg+xml");
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("'none'"));
        answer.text().await.unwrap()
    };
    let all = picture(paths::GEO_REGIONS).await;
    assert_eq!(all.matches("<path id=\"DE").count(), 401);
    assert!(all.contains("<title>Köln, Kreisfreie Stadt</title>") || all.contains("<title>Köln"));
    assert_eq!(picture(paths::GEO_REGIONS).await, all, "drawn once");
    let one = picture("/geo/region/DEA23.svg").await;
    assert!(one.contains("id=\"DEA23\"") && !one.contains("id=\"DEA24\""), "{one}");
    for unknown in ["DEA23", "DE999.svg", "dea23.svg", "..%2f..%2fetc.svg", ".svg", "%00.svg"] {
        nobody.get(&format!("/geo/region/{unknown}")).problem(404, problem_type::NOT_FOUND).await;
    }

    let locate = "/geo/locate?lat=50.9384&lon=6.9599";
    nobody.get(locate).problem(401, problem_type::UNAUTHENTICATED).await;
    server.manager(Group::Administrators).get(locate).problem(403, problem_type::GROUP).await;
    let researcher = server.manager(Group::Researchers);
    let found = researcher.get(locate).ok().await;
    assert_eq!(found["region"]["nuts3"], "DEA23", "{found}");
    let outside = researcher.get("/geo/locate?lat=0&lon=0").ok().await;
    assert!(outside["region"].is_null(), "{outside}");
    for wrong in
        ["", "?lat=50", "?lat=91&lon=0", "?lat=NaN&lon=0", "?lat=1e400&lon=0", "?lat=a&lon=b"]
    {
        let call = researcher.get(&format!("{}{wrong}", paths::GEO_LOCATE));
        let problem = call.problem(400, problem_type::INVALID).await;
        assert!(problem.detail.unwrap().contains("lat"), "{wrong}");
    }
    server.stop().await;
}
